"""The LeadSquared HTTP API: what goes over the wire, and what its answers mean."""
