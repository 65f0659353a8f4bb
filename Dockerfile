# The server in a container; docs/deployment.md says how it is run. Two images, the first of which is the default:
#   docker build --tag gan-serve .
#   docker build --tag gan-serve:gpu --target gpu .
# With --build-arg EXTRAS=serve,demo it has the demo as well.

FROM python:3.11.16-slim-trixie AS base

# What both images are built from. The virtual environment holds no pip: nothing is installed into it later.
FROM base AS source
ENV PIP_CONSTRAINT=/source/constraints.txt \
    PIP_BUILD_CONSTRAINT=/source/constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/gan-serve
WORKDIR /source
COPY pyproject.toml constraints.txt LICENSE ./
COPY gan_serve/__init__.py gan_serve/
# The models are a folder of the image, and no part of the package in it.
RUN mkdir models && touch README.md

# All that the package needs, and of itself its version alone, so that a change of its code leaves this layer as it is.
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
# Whatever the rights are in the checkout, the image's user may read them.
RUN chmod -R a+rX /models

FROM base AS runtime
# The base image has no bytecode of the standard library, and its user may write none: half a second at every start.
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

# The NVIDIA container runtime brings the driver, pip the CUDA libraries.
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
