"""The doors of a worker over HTTP. `application` puts them together; api, rpc, pages and metrics know nothing of each other."""
