"""Requests that one account can send, made to cost as much as possible, beside honest requests of their size.

`python -m benchmarks.attacks [name ...] [--accounts 6]`. Each attack is measured with the product in a process of its
own: how long its event loop was blocked at most, how much its memory grew, whether it still worked after the last
response, the statuses, and the turns of another user meanwhile.
"""
