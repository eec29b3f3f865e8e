"""What looks at one model alone, one a file."""
