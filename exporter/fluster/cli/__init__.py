"""The command line: one command a file. A job's own output goes to stdout and stderr unchanged; Fluster's words go to stderr."""
