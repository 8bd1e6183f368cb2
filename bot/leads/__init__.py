"""Leads of the CRM: how one is named, searched and found, and where its page is."""
