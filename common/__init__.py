"""What every room leans on and which leans on none: network, text, time, files, errors."""

VERSION = "0.1.0"
