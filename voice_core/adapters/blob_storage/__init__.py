"""Recordings, the artefacts made from them, and speech, in Azure Blob storage."""
