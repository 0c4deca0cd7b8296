"""Speech to text and text to speech on Azure Speech, by its SDK."""
