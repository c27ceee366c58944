"""A base image without a registry: this machine's own Python, the libraries it needs, and busybox, imported as a tar.

python tests/engine/base_image.py [NAME]     makes it where it is missing (default fluster-test-base:latest)
"""

import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

NAME = "fluster-test-base:latest"
PREFIX = Path(sys.base_prefix)
SKIP = {
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "__pycache__",
    "site-packages",
    "dist-packages",
    "ensurepip",
    "config",
}


def libraries(paths):
    found = set()
    for path in paths:
        done = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False)
        found |= {Path(each) for each in re.findall(r"(/\S+) \(0x", done.stdout)}
    for name in (
        "libnss_files.so.2",
        "libnss_dns.so.2",
        "libresolv.so.2",
        "libgcc_s.so.1",
        "libstdc++.so.6",
        "libdl.so.2",
        "librt.so.1",
        "libpthread.so.0",
        "libm.so.6",
        "libutil.so.1",
    ):
        for folder in ("/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib"):
            if (Path(folder) / name).exists():
                found.add(Path(folder) / name)
    return found


def standard_library():
    home = Path(sysconfig.get_path("stdlib"))
    for directory, names, files in os.walk(home):
        names[:] = [name for name in names if name not in SKIP and not name.startswith("config-")]
        for name in files:
            if not name.endswith((".pyc", ".a")):
                yield Path(directory) / name


def add(tar, source, target):
    tar.add(os.path.realpath(source), arcname=str(target).lstrip("/"), recursive=False)


def text(tar, target, content, mode=0o644):
    info = tarfile.TarInfo(target)
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content.encode()))


def link(tar, target, goal):
    info = tarfile.TarInfo(target)
    info.type, info.linkname = tarfile.SYMTYPE, goal
    tar.addfile(info)


def folder(tar, target, mode=0o755):
    info = tarfile.TarInfo(target)
    info.type, info.mode = tarfile.DIRTYPE, mode
    tar.addfile(info)


def build(tar):
    python = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    modules = list(standard_library())
    for path in libraries([python, *(path for path in modules if path.suffix == ".so")]):
        add(tar, path, path)
    add(tar, python, "usr/local/bin/python3")
    link(tar, "usr/local/bin/python", "python3")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    link(tar, f"usr/local/bin/{version}", "python3")
    home = Path(sysconfig.get_path("stdlib"))
    for path in modules:
        add(tar, path, Path("usr/local/lib") / version / path.relative_to(home))
    text(tar, f"usr/local/lib/{version}/site-packages/README.txt", "")
    busybox = shutil.which("busybox")
    if busybox is None:
        sys.exit("busybox is missing: apt-get install busybox-static")
    add(tar, busybox, "bin/busybox")
    for name in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if name != "busybox":
            link(tar, f"bin/{name}", "busybox")
    for path in ("root", "proc", "sys", "dev", "etc", "var", "opt", "usr/bin"):
        folder(tar, path)
    for path in ("tmp", "var/tmp"):
        folder(tar, path, 0o1777)
    link(tar, "usr/bin/env", "/bin/busybox")
    text(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    text(tar, "etc/group", "root:x:0:\nnogroup:x:65534:\n")
    text(tar, "etc/nsswitch.conf", "hosts: files dns\n")
    text(tar, "etc/ld.so.conf", "/lib/x86_64-linux-gnu\n/usr/lib/x86_64-linux-gnu\n/lib/aarch64-linux-gnu\n/usr/lib\n")


def ensure(name=NAME, *, environment=None):
    """Make the image where the engine does not have it."""
    docker = docker_cli()
    env = {**os.environ, **(environment or {})}
    if subprocess.run([docker, "image", "inspect", name], capture_output=True, env=env, check=False).returncode == 0:
        return
    importer = subprocess.Popen(
        [docker, "import", "--change", "ENV PATH=/usr/local/bin:/usr/bin:/bin:/sbin:/usr/sbin", "--change", 'CMD ["/bin/sh"]', "-", name],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=env,
    )  # fmt: skip
    with tarfile.open(fileobj=importer.stdin, mode="w|") as tar:
        build(tar)
    importer.stdin.close()
    if importer.wait():
        sys.exit(f"docker import failed with {importer.returncode}")


def docker_cli():
    for path in ("/usr/bin/docker", shutil.which("docker")):
        if path and os.path.exists(path):
            return path
    sys.exit("the docker command is missing: apt-get install docker.io")


if __name__ == "__main__":
    ensure(*sys.argv[1:2])
