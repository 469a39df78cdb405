"""The archive for support, with secrets taken out."""
