"""Everything that outlives the process: SQLAlchemy Core on SQLite or Postgres, no ORM."""
