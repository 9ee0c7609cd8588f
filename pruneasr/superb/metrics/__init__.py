"""What the SUPERB tasks are measured by, one file each."""
