"""Where pictures come from: cameras, folders, files."""
