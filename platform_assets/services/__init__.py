"""The processes this platform starts and stops: embedded PostgreSQL, web server, daemon."""
