# The image of the operator and of its workers. Bases are named by tag: pin them by the digests that you have checked,
#   docker build --build-arg PYTHON=python:3.11-slim-bookworm@sha256:… --build-arg TERRAFORM=hashicorp/terraform:1.11.4@sha256:… .
ARG PYTHON=python:3.11-slim-bookworm
ARG TERRAFORM=hashicorp/terraform:1.11.4

FROM ${TERRAFORM} AS terraform
WORKDIR /modules
COPY terraform/modules ./
# The operator's pods need no registry: each provider that the modules name comes with the image.
RUN terraform -chdir=environment get && terraform -chdir=environment providers mirror /providers

FROM ${PYTHON} AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/firelift UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir 'uv>=0.9,<1'
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --locked --no-default-groups --extra operator --no-install-project
COPY controller ./controller
COPY terraform/modules ./terraform/modules
RUN uv sync --locked --no-default-groups --extra operator --no-editable

FROM ${PYTHON}
COPY --from=terraform /bin/terraform /usr/local/bin/terraform
COPY --from=terraform /providers /opt/providers
COPY --from=build /opt/firelift /opt/firelift
# The root file system is read-only in a cluster; all that is written goes to /tmp.
ENV PATH=/opt/firelift/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 CHECKPOINT_DISABLE=1 FIRELIFT_PROVIDER_MIRROR=/opt/providers
WORKDIR /tmp
USER 65532:65532
CMD ["python", "-m", "firelift.operator"]
