"""Stand-ins for Slack and LeadSquared over real sockets; they import nothing of the bot."""
