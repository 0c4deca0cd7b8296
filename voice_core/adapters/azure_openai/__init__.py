"""The assistant on Azure OpenAI."""
