"""From the landing zone to text frames: discovery, encoding, dialect, header matching, rejects."""
