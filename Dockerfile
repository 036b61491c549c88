# liescope on the CPU: docker build -t liescope . && docker run --rm -v "$PWD:/data" liescope detect pairs.npz --out found
#
# TORCH_INDEX is the address of PyTorch's CPU builds, as https://pytorch.org/get-started/locally/ names it for pip and "CPU";
# without it PyTorch brings CUDA, and the image is some gigabytes larger. EXTRAS are those of pyproject.toml.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ARG TORCH_INDEX=""
ARG EXTRAS="digits,data"
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
WORKDIR /source
COPY constraints.txt pyproject.toml README.md LICENSE ./
# Before the source, so that a change of it does not fetch PyTorch again.
RUN /venv/bin/pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' constraints.txt)"
COPY src ./src
RUN /venv/bin/pip install --constraint constraints.txt ".[${EXTRAS}]"

FROM python:${PYTHON}-slim
COPY --from=build /venv /venv
RUN useradd --create-home --uid 1000 liescope
USER liescope
WORKDIR /data
ENV PATH="/venv/bin:$PATH" MPLCONFIGDIR=/tmp/matplotlib
ENTRYPOINT ["liescope"]
CMD ["--help"]
