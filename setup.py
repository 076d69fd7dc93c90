"""What pyproject.toml cannot say: folders that are installed under another name, and modules that are compiled."""

import os
import shlex
import shutil
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, find_namespace_packages, setup
from setuptools.command.build_ext import build_ext

FOLDERS = {"adc": "adc", "adc_plugins": "plugins", "adc_examples": "config"}

HOT = (
    "adc/http/client.py",
    "adc/http/fields.py",
    "adc/http/headers.py",
    "adc/http/message.py",
    "adc/http/target.py",
    "adc/telemetry/access_log.py",
    "adc/telemetry/formats.py",
    "adc/telemetry/histogram.py",
    "adc/telemetry/line_log.py",
    "adc/telemetry/tracing.py",
    "adc/plugin/admission.py",
    "adc/plugin/chain.py",
    "adc/plugin/context.py",
    "adc/plugin/phase_call.py",
    "adc/plugin/phase_end.py",
    "adc/routing/index.py",
    "adc/routing/router.py",
    "adc/pools/breaker.py",
    "adc/pools/member.py",
    "adc/pools/outlier.py",
    "adc/pools/pool.py",
    "adc/pools/shared_load.py",
    "adc/pools/retry.py",
    "adc/pools/balancers/round_robin.py",
    "adc/pools/balancers/turns.py",
    "adc/persistence/decide.py",
    "adc/persistence/learned.py",
    "adc/persistence/pin.py",
    "adc/persistence/table.py",
    "adc/cache/keys.py",
    "adc/cache/memory.py",
    "adc/cache/policy.py",
    "adc/cache/purge_log.py",
    "adc/cache/tiered.py",
    "adc/sessions/blocks.py",
    "adc/sessions/ended.py",
    "adc/sessions/newcomers.py",
    "adc/sessions/ring.py",
    "adc/sessions/session.py",
    "adc/sessions/shared_total.py",
    "adc/sessions/table.py",
    "adc/net/acceptor.py",
    "adc/net/batch.py",
    "adc/net/batched_writer.py",
    "adc/net/clock.py",
    "adc/net/handshake.py",
    "adc/net/listener_state.py",
    "adc/net/reactor.py",
    "adc/net/share.py",
    "adc/net/socket_address.py",
    "adc/net/tcp_options.py",
    "adc/l4/target.py",
    "adc/l4/tcp/*.py",
    "adc/l4/udp/client_socket.py",
    "adc/l4/udp/descriptors.py",
    "adc/l4/udp/limits.py",
    "adc/l4/udp/member_sockets.py",
    "adc/l4/udp/relay.py",
    "adc/l4/udp/session.py",
    "adc/l4/udp/sources.py",
    "adc/codecs/http1/*.py",
    "adc/proxy/*.py",
    "adc/proxy/upstream/*.py",
    "adc/proxy/files/action.py",
    "adc/proxy/files/folders.py",
    "adc/proxy/files/sending.py",
    "adc/proxy/files/served.py",
    "adc/proxy/stages/*.py",
    "adc/proxy/plugins/*.py",
    "adc/proxy/caching/*.py",
)
"""What a request runs through. mypyc compiles it as it stands: typed Python, which works uncompiled too."""

FLAGS = ["-g0", "-fno-semantic-interposition", "-fvisibility=hidden", "-fno-plt"]
"""Calls within the library go straight to their function; without debugging symbols it compiles in half the time."""

GENERATED = Path("build")
"""Where mypyc leaves the C code."""

UNCOMPILED = {"dist_info", "egg_info", "sdist", "editable_wheel", "develop"}
"""Commands that only ask for facts, or that install a checkout, in which `make compiled` builds."""


def compiled() -> list[Extension]:
    """Return the extensions for `HOT`; none for `UNCOMPILED`, with `ADC_COMPILE=0`, or without a C compiler."""
    if UNCOMPILED & set(sys.argv):
        return []
    for left in Path("adc").rglob(
        "*.so"
    ):  # of an earlier build, of modules that may not be compiled any more
        left.unlink()
    if os.environ.get("ADC_COMPILE") == "0":
        return []
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    if not shutil.which(compiler) or not Path(sysconfig.get_path("include"), "Python.h").exists():
        say("no C compiler or no Python.h here: adc runs uncompiled, which is slower")
        return []
    from mypyc.build import mypycify

    names = sorted({str(path) for pattern in HOT for path in Path().glob(pattern)})
    sources = [name for name in names if not name.endswith("__init__.py")]
    say(f"compiling {len(sources)} modules, which takes one to four minutes; ADC_COMPILE=0 installs without")
    options = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
    options.append(
        f"--cache-dir={GENERATED / 'mypy'}"
    )  # another than that of `make check`, which has plugins
    extensions: list[Extension] = mypycify(
        [*options, *sources],
        opt_level="2",
        debug_level="0",
        group_name="adc.compiled",
        multi_file=True,
        target_dir=str(GENERATED),
    )
    for extension in extensions:
        extension.extra_compile_args += FLAGS
        extension.include_dirs.append(str(GENERATED / "adc"))
    return extensions


class BuildOnAllCores(build_ext):
    """Builds an extension from one C file for each module, of which as many at a time as there are cores.

    One file for all takes twice the CPU time, on one core; the code of both needs the same instructions within 1 %.
    """

    def build_extensions(self) -> None:
        """Build all."""
        compile_in_order = self.compiler.compile

        def compile_files(sources: list[str], **options: object) -> list[str]:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                objects = pool.map(lambda source: compile_in_order([source], **options), sources)
                return [each for made in objects for each in made]

        self.compiler.compile = compile_files
        super().build_extensions()


def say(text: str) -> None:
    """Tell whoever installs. pip hides what a build prints, so the terminal is told too, if there is one."""
    print(f"adc: {text}", file=sys.stderr)
    try:
        with open("/dev/tty", "w", encoding="utf-8") as terminal:
            terminal.write(f"\nadc: {text}\n")
    except OSError:
        return


def mapped(package: str, folder: str) -> list[str]:
    """Return `folder` and what is below it, as `package` and its subpackages; folders of data are packages, too."""
    found = find_namespace_packages(folder, exclude=["*__pycache__"])
    return [package, *(f"{package}.{name}" for name in found)]


setup(
    packages=[name for package, folder in FOLDERS.items() for name in mapped(package, folder)],
    package_dir=FOLDERS,
    ext_modules=compiled(),
    cmdclass={"build_ext": BuildOnAllCores},
)
