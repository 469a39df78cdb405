"""Pictures and files on their way to the browser: display size, heat colours, downloads."""
