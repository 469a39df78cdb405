"""The running line of a station: source, part, verdict, latest results. No drawing."""
