"""The skills of the offline assistant, one in each module; none of them needs a model."""
