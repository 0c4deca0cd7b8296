"""Word error rate on recordings of people, which come in packages."""
