"""What the API says of an event beyond its settings: its phases, results, files and thread."""
