"""Speech files: the speech of a reply, stored and fetched by URL."""
