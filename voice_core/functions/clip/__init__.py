"""/clips, and the Blob trigger."""
