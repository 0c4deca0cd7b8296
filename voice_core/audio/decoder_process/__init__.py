"""Decoder processes: FFmpeg reads uploaded bytes outside the worker process.

A worker process starts one decoder server, a small process without threads that has FFmpeg loaded. For each recording
the server forks a decoder process, which decodes that recording and ends. The worker and the decoder process share a
socket pair. So a crash, a leak or endless work of FFmpeg concerns one recording only.
"""
