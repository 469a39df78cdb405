"""HTTP client of the service, state of the connection, and the calls by noun. No drawing."""
