"""The front of the Functions host: one test for each row of docs/functions-host.md."""
