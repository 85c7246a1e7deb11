"""The guided tour behind `scripts/demo`: the real main job, once, with nothing faked.

It stands above every other package and uses them the way a person would: the trainer and the
service as processes, the service over HTTP with the client library its users have.
"""
