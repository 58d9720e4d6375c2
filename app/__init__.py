"""The running process: settings, database, HTTP and the command line."""
