"""The routes.

v1, v1_parsing        `/v1`: images and numbers for people and programs
v2, v2_codec          `/v2`: the Open Inference Protocol, tensors in and out
operations            health, metrics, reload, documentation
openapi, schemas      the OpenAPI document, made from the models' metadata
uploads               images in requests
content_negotiation   response formats
generation            the task that runs a model for one request
"""
