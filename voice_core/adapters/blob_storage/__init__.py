"""Recordings, what is made of them, and speech, in Azure Blob storage."""
