"""The reader on the API, as clients of InfraRead know it: posts, sources, categories, OPML, jobs, metrics."""
