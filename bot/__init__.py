"""LeadSquared Notifier: browser notifications for LeadSquared users, sent from Slack."""
