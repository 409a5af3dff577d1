"""The process kubelet: one node whose containers are local processes.

There is no image, no mount namespace and no network namespace. A container runs its `command` with the project's
environment on PATH; what it mounts is below `$FIRELIFT_POD_ROOT`, at the same path; pods share the machine's network.
`KUBECONFIG` names the pod's own ServiceAccount, unless its token is not mounted.

Not here: startup probes, lifecycle hooks, `activeDeadlineSeconds` of a pod (a Job's own works), sidecar init
containers, host and persistent volumes, `kubectl exec`, times in logs, and every limit and security context.
"""
