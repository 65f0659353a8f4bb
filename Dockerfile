# The server in a container; docs/deployment.md explains how to run it. There are two images; the first is the default:
#   docker build --tag gan-serve .
#   docker build --tag gan-serve:gpu --target gpu .
# Use --build-arg EXTRAS=serve,demo to include the demo.

FROM python:3.11.16-slim-trixie AS base

# The base of both images. The virtual environment has no pip, since nothing is installed into it later.
FROM base AS source
ENV PIP_CONSTRAINT=/source/constraints.txt \
    PIP_BUILD_CONSTRAINT=/source/constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/gan-serve
WORKDIR /source
COPY pyproject.toml constraints.txt LICENSE ./
COPY gan_serve/__init__.py gan_serve/
# The models are in a folder of the image, not in the package.
RUN mkdir models && touch README.md

# The package's dependencies, and only its version, so that changes to its code do not rebuild this layer.
FROM source AS cpu-packages
ARG EXTRAS=serve
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/gan-serve/bin/python install ".[cpu,$EXTRAS]"

FROM source AS gpu-packages
ARG EXTRAS=serve
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/gan-serve/bin/python install ".[gpu,$EXTRAS]"

FROM source AS package
COPY gan_serve gan_serve
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/gan-serve/bin/python install --no-deps .

FROM base AS models
COPY models /models
# The image's user can read them, regardless of the permissions in the checkout.
RUN chmod -R a+rX /models

FROM base AS runtime
# The base image has no bytecode of the standard library, and its user cannot write any: that saves 0.5 s per start.
RUN python -m compileall -q -x /site-packages/ "$(python -c 'import os; print(os.path.dirname(os.__file__))')"
LABEL org.opencontainers.image.title="gan-serve" \
      org.opencontainers.image.description="Classic GANs, served by ONNX Runtime" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11.16-slim-trixie"
ENV PATH=/opt/gan-serve/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    GAN_SERVE_HOST=0.0.0.0 \
    GAN_SERVE_MODELS=/models
WORKDIR /tmp
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --start-period=60s --interval=30s --timeout=10s CMD ["gan-serve", "health"]
ENTRYPOINT ["gan-serve"]
CMD ["serve"]

# The NVIDIA container runtime provides the driver, pip the CUDA libraries.
FROM runtime AS gpu
ENV GAN_SERVE_DEVICE=cuda \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=gpu-packages /opt/gan-serve /opt/gan-serve
COPY --from=models /models /models
COPY --from=package /opt/gan-serve /opt/gan-serve

FROM runtime AS cpu
COPY --from=cpu-packages /opt/gan-serve /opt/gan-serve
COPY --from=models /models /models
COPY --from=package /opt/gan-serve /opt/gan-serve
