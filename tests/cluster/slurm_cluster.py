"""A SLURM cluster of one node for as long as a test needs it.

    python tests/cluster/slurm_cluster.py -- squeue

runs a command with the cluster up.  Key, configuration, state and logs lie in a temporary
folder, the daemons listen on the loopback interface only, and nothing of it is left: all of
them, and every job, are descendants of one keeper process, which kills what descends from it
as soon as its standard input closes, be it because the cluster is no longer needed or because
whoever started it is gone.
"""

import argparse
import contextlib
import ctypes
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NODE = "node1"
# Where Debian keeps daemons; not everyone has it on the path.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
PATIENCE = 300  # seconds for a daemon to answer
SET_PARENT_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36  # of prctl(2)

# No accounting database and no control groups: a container has neither.  The memory limit of
# a job is kept by polling its processes.
CONFIGURATION = """\
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmctldPort={controller_port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd.pid
SlurmdLogFile={folder}/slurmd.log
SlurmdSpoolDir={folder}/spool
StateSaveLocation={folder}/state
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog={folder}/hold
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=1
MinJobAge=86400
NodeName={node} NodeHostname=localhost NodeAddr=127.0.0.1 Port={node_port} \
CPUs={cpus} RealMemory={memory}
PartitionName=all Nodes={node} Default=YES MaxTime=1-00:00:00 State=UP
"""

# A job begins by waiting, on its time, while this file is in the folder it was submitted from and
# names a file that is there: "." for every job, an input for the jobs that it is ready for.
HELD = ".held"
HOLD = f"""\
#!/bin/sh
cd "$SLURM_SUBMIT_DIR" || exit
while [ -e {HELD} ] && [ -e "$(cat {HELD})" ]; do sleep 0.2; done
"""

# The executor's job steps drop every variable that begins with SLURM_, this one among them.
SRUN = """\
#!/bin/sh
SLURM_CONF={configuration} exec {srun} "$@"
"""


class ClusterError(Exception):
    """The cluster did not do what was asked of it; the message is why."""


def missing():
    """Why there can be no cluster here, or nothing."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if absent:
        return f"SLURM is not installed: no {', '.join(absent)} (packages slurm-wlm and munge)"
    if os.geteuid() != 0:
        return "a SLURM cluster can only be started by root"
    return ""


class Cluster:
    """A running cluster: a context manager, with what a test wants to do to it."""

    def __init__(self):
        reason = missing()
        if reason:
            raise ClusterError(reason)
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.environment = os.environ | {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{PATH}",
        }
        self.keeper = None

    def __enter__(self):
        self.keeper = subprocess.Popen(
            [sys.executable, __file__, "--keep", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the test, which then closes the pipe
        )
        try:
            self._answered()
            self.start_node()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """Close the keeper's standard input, and wait until everything is gone."""
        self.keeper.stdin.close()
        self.keeper.wait()
        self.keeper.stdout.close()

    def _answered(self):
        answer = self.keeper.stdout.readline().strip()
        if answer != "done":
            raise ClusterError(f"the cluster failed: {answer or 'its keeper is gone'}")

    def _ask(self, request):
        self.keeper.stdin.write(f"{request}\n")
        self.keeper.stdin.flush()
        self._answered()

    def run(self, *command):
        """Run one of SLURM's commands; its output."""
        return subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def start_node(self):
        """Let the node do its work, and wait until it is ready for it."""
        self._ask("start node")
        wait_until(
            lambda: self.run("sinfo", "--noheader", "--format=%T").strip() in ("idle", "mixed"),
            "the node is not idle",
        )

    def lose_node(self):
        """Kill the node with all that runs on it, as a power cut would; SLURM sees it down."""
        self._ask("lose node")
        self.run("scontrol", "update", f"nodename={NODE}", "state=down", "reason=lost")

    def jobs(self, folder=None):
        """Every job there was, oldest first, or those submitted from a folder.

        Each is a mapping: id, state, cores, memory, minutes (its limit), folder, and what
        Snakemake calls it.
        """
        keys = ("id", "state", "cores", "memory", "minutes", "folder", "what")
        listed = self.run(
            *("squeue", "--states=all", "--noheader", "--sort=i"), "--format=%i|%T|%C|%m|%l|%Z|%k"
        )
        jobs = [dict(zip(keys, line.split("|"), strict=True)) for line in listed.splitlines()]
        for job in jobs:
            job["minutes"] = minutes(job["minutes"])
        return [job for job in jobs if folder is None or job["folder"] == str(folder)]


def minutes(limit):
    """A time limit as squeue writes it, [days-][hours:]minutes:seconds, in minutes."""
    days, _, clock = limit.rpartition("-")
    hours, minutes, _ = ["0", *clock.split(":")][-3:]
    return (int(days or 0) * 24 + int(hours)) * 60 + int(minutes)


def wait_until(condition, otherwise, patience=PATIENCE):
    """Wait for a condition, but not for ever."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise ClusterError(otherwise)
        time.sleep(1.0)  # to ask SLURM takes a tenth of that


# The keeper: a process of its own, so that it outlives whoever wanted the cluster.


def prctl(option, value):
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def children(pid):
    """The processes whose parent this one is."""
    found = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in listing.read_text().split()]
        except OSError:  # it ended meanwhile
            continue
    return found


def kill_descendants(pid, spared=()):
    """Kill what descends from a process, but for some of its children."""
    for child in children(pid):
        if child not in spared:
            kill_descendants(child)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def free_ports(number):
    """Ports of the loopback interface that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Keeper:
    """Starts the daemons of a cluster, and ends all that comes of them."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.environment = os.environ | {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": PATH,
        }
        self.central = []  # the daemons that are not the node's

    def keep(self):
        """Start all but the node, then do what standard input asks for, until it closes."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(1))
        # processes whose parent ends become children of the keeper, which can then find them
        prctl(SET_CHILD_SUBREAPER, 1)
        actions = {"start node": self.start_node, "lose node": self.lose_node}
        try:
            self._do(self.start_controller)
            for line in sys.stdin:
                self._do(actions[line.strip()])
        finally:
            self._kill()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _do(self, action):
        try:
            action()
            answer = "done"
        except (ClusterError, OSError) as error:
            said = [path.read_text()[-500:] for path in self.folder.glob("*.out")]
            answer = " ".join("\n".join([str(error), *said]).split())
        print(answer, flush=True)

    def start_controller(self):
        """Write the files and start the daemons that authenticate and that schedule."""
        controller_port, node_port = free_ports(2)
        self.folder.chmod(0o711)  # munged insists that everyone could reach its socket
        for name in ("bin", "state", "spool"):
            (self.folder / name).mkdir()
        (self.folder / "munge.key").touch(mode=0o600)
        (self.folder / "munge.key").write_bytes(secrets.token_bytes(128))
        values = {
            "folder": self.folder,
            "node": NODE,
            "controller_port": controller_port,
            "node_port": node_port,
            "cpus": 2 * len(os.sched_getaffinity(0)),  # jobs also wait: for steps, for files
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
            "srun": shlex.quote(shutil.which("srun", path=PATH)),
            "configuration": shlex.quote(str(self.folder / "slurm.conf")),
        }
        for name, text, mode in (
            ("slurm.conf", CONFIGURATION, 0o644),
            ("hold", HOLD, 0o755),
            ("bin/srun", SRUN, 0o755),
        ):
            (self.folder / name).write_text(text.format(**values))
            (self.folder / name).chmod(mode)
        munge = [f"--{what}-file={self.folder}/munge.{what}" for what in ("key", "log", "pid")]
        self.central = [
            self._start(
                *("munged", "--foreground", "--group-update-time=-1", *munge),
                *(f"--seed-file={self.folder}/munge.seed", f"--socket={self.folder}/munge.socket"),
            )
        ]
        wait_until((self.folder / "munge.socket").exists, "munged does not start")
        self.central.append(self._start("slurmctld", "-D"))
        wait_until(
            lambda: "UP" in self._output("scontrol", "ping").replace("DOWN", ""),
            "slurmctld does not start",
        )

    def start_node(self):
        self._start("slurmd", "-D", "-N", NODE)

    def lose_node(self):
        self._kill(spared=self.central)

    def _start(self, *command):
        """Start a daemon that cannot outlive the keeper; its process id."""
        with (self.folder / f"{command[0]}.out").open("a") as output:
            return subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=lambda: prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL),
            ).pid

    def _output(self, *command):
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        ).stdout

    def _kill(self, spared=()):
        """Kill what descends from the keeper, until there is nothing but those spared."""
        while set(children(os.getpid())) - set(spared):
            kill_descendants(os.getpid(), spared)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.02)


def main():
    parser = argparse.ArgumentParser(
        description="Run a command with a SLURM cluster of one node up.",
        usage="%(prog)s -- command ...",
    )
    parser.add_argument("--keep", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*")
    arguments = parser.parse_args()
    if arguments.keep:
        Keeper(arguments.keep).keep()
        return 0
    if not arguments.command:
        parser.error("which command?")
    try:
        with Cluster() as cluster:
            return subprocess.run(
                arguments.command, env=cluster.environment, check=False
            ).returncode
    except ClusterError as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
