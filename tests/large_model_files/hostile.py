"""Pickles built from opcodes: hostile ones of every known family, and benign ones. None is ever loaded.

A hostile case would run something if it were loaded (the commands are harmless, and nothing loads them).
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib

PROTO = b"\x80\x04"
STOP = b"."
MARK = b"("
REDUCE = b"R"
MEMOIZE = b"\x94"
STACK_GLOBAL = b"\x93"


def text(value: str) -> bytes:
    """A unicode constant (SHORT_BINUNICODE or BINUNICODE)."""
    raw = value.encode("utf-8", "surrogatepass")
    return b"\x8c" + bytes([len(raw)]) + raw if len(raw) < 256 else b"X" + struct.pack("<I", len(raw)) + raw


def blob(value: bytes) -> bytes:
    """A bytes constant (BINBYTES)."""
    return b"B" + struct.pack("<I", len(value)) + value


def name(module: str, attribute: str) -> bytes:
    """STACK_GLOBAL of two constants."""
    return text(module) + text(attribute) + STACK_GLOBAL


def old_name(module: str, attribute: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{attribute}\n".encode()


def tup(*items: bytes) -> bytes:
    return MARK + b"".join(items) + b"t"


def call(module: str, attribute: str, *args: bytes) -> bytes:
    return name(module, attribute) + tup(*args) + REDUCE


def pickled(body: bytes) -> bytes:
    return PROTO + body + STOP


CMD = text("true")
SYSTEM = b"cposix\nsystem\n(S'true'\ntR."
EVIL = pickled(call("os", "system", CMD))


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for title, body in members.items():
            archive.writestr(title, body)
    return buffer.getvalue()


TORCH = {"archive/data.pkl": EVIL, "archive/version": b"3\n", "archive/data/0": bytes(64)}
ZIP = zipped(TORCH)
# functions that run a command, code, another pickle, or reach files and network; each was once missed by a scanner
CALLS = [
    "os.system",
    "posix.system",
    "nt.system",
    "subprocess.Popen",
    "subprocess.check_output",
    "subprocess.getoutput",
    "builtins.eval",
    "builtins.exec",
    "builtins.compile",
    "builtins.__import__",
    "builtins.open",
    "builtins.breakpoint",
    "runpy.run_module",
    "runpy._run_code",
    "pip.main",
    "pip._internal.main",
    "pip._internal.cli.main.main",
    "uuid._get_command_stdout",
    "imaplib.IMAP4_stream",
    "_osx_support._read_output",
    "_osx_support._find_build_tool",
    "_aix_support._read_cmd_output",
    "_pyrepl.pager.pipe_pager",
    "ctypes.CDLL",
    "ctypes.WinDLL",
    "pydoc.pipepager",
    "pydoc.locate",
    "pty.spawn",
    "marshal.loads",
    "code.interact",
    "code.InteractiveInterpreter",
    "bdb.Bdb.run",
    "cProfile.run",
    "profile.Profile.run",
    "trace.Trace.run",
    "timeit.timeit",
    "doctest.debug_script",
    "pdb.run",
    "importlib.import_module",
    "imp.load_source",
    "pkgutil.resolve_name",
    "zipimport.zipimporter",
    "shutil.rmtree",
    "tempfile.mktemp",
    "socket.create_connection",
    "urllib.request.urlopen",
    "http.client.HTTPSConnection",
    "webbrowser.open",
    "ensurepip._run_pip",
    "idlelib.pyshell.ModifiedInterpreter.runcode",
    "idlelib.run.Executive.runcode",
    "lib2to3.pgen2.grammar.Grammar.loads",
    "asyncio.unix_events._UnixSubprocessTransport._start",
    "distutils.spawn.spawn",
    "distutils.file_util.write_file",
    "numpy.testing._private.utils.runstring",
    "numpy.f2py.crackfortran.getlincoef",
    "numpy.f2py.crackfortran.myeval",
    "numpy.distutils.exec_command.exec_command",
    "numpy.load",
    "torch.load",
    "torch.hub.load",
    "torch.jit.load",
    "torch.utils.collect_env.run",
    "torch.utils._config_module.ConfigModule.load_config",
    "torch.utils.bottleneck.__main__.run_cprofile",
    "torch._dynamo.guards.GuardBuilder.get",
    "torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression",
    "torch.utils.data.datapipes.utils.decoder.basichandlers",
    "torch._inductor.codecache.compile_file",
    "joblib.load",
    "pickle.loads",
    "_pickle.loads",
    "dill.loads",
    "cloudpickle.loads",
    "cloudpickle.cloudpickle.subimport",
    "pandas.read_pickle",
    "pandas.eval",
    "sys.setprofile",
    "signal.signal",
    "atexit.register",
    "threading.Timer",
    "multiprocessing.util.spawnv_passfds",
    "types.FunctionType",
    "types.CodeType",
    "codecs.open",
    "io.open",
    "io.FileIO",
    "functools.reduce",
    "platform.popen",
    "sqlite3.connect",
    "site.main",
    "logging.config.listen",
    "cgitb.lookup",
    "smtplib.SMTP",
    "ssl.get_server_certificate",
    "telnetlib.Telnet",
    "poplib.POP3",
    "xmlrpc.client.ServerProxy",
    "mailcap.findmatch",
    "fileinput.input",
    "linecache.getline",
    "test.support.script_helper.assert_python_ok",
    "unittest.mock._importer",
    "rlcompleter.Completer.complete",
    "venv.create",
    "compileall.compile_dir",
    "py_compile.compile",
    "operator.methodcaller",
    "tarfile.open",
    "commands.getoutput",
    "tensorflow.keras.models.load_model",
    "keras.models.load_model",
    "somepkg.cli.shell",
    "somepkg.util.run_command",
    "somepkg.io.load_object",
    "getpass.getpass",
]


def _calls() -> dict[str, bytes]:
    found = {}
    for full in CALLS:
        module, _, attribute = full.rpartition(".")
        parts = module.split(".")
        for at, part in enumerate(parts):  # a class in the middle belongs to the name
            if part[:1].isupper():
                module, attribute = ".".join(parts[:at]), ".".join([*parts[at:], attribute])
                break
        found[f"calls {full}"] = pickled(call(module, attribute, CMD))
    return found


def _forms() -> dict[str, bytes]:
    """One command, in every way that opcodes can say it."""
    module, attribute = text("os"), text("system")
    args = tup(CMD)
    long_memo = b"".join(text(f"s{i}") + MEMOIZE + b"0" for i in range(300))
    nested = pickled(call("os", "system", CMD))
    cases = {
        "proto 0 GLOBAL REDUCE": SYSTEM,
        "proto 0 INST": b"(S'true'\niposix\nsystem\n.",
        "proto 1 OBJ": b"(" + old_name("os", "system") + b"X\x04\x00\x00\x00trueo.",
        "proto 2 GLOBAL": b"\x80\x02" + old_name("os", "system") + b"X\x04\x00\x00\x00true\x85R.",
        "proto 2 python 2 name": b"\x80\x02" + old_name("__builtin__", "eval") + b"X\x01\x00\x00\x001\x85R.",
        "proto 2 commands of python 2": b"\x80\x02" + old_name("commands", "getoutput") + b"X\x01\x00\x00\x001\x85R.",
        "NEWOBJ of Popen": pickled(name("subprocess", "Popen") + args + b"\x81"),
        "NEWOBJ_EX of Popen": pickled(name("subprocess", "Popen") + args + b"}" + b"\x92"),
        "no PROTO": name("os", "system") + args + REDUCE + STOP,
        "FRAME": PROTO + b"\x95" + struct.pack("<Q", len(EVIL) - 2) + EVIL[2:],
        "memoised strings, BINGET": pickled(module + b"q\x00" + attribute + b"q\x0100h\x00h\x01" + STACK_GLOBAL + args + REDUCE),
        "memoised strings, MEMOIZE": pickled(module + MEMOIZE + attribute + MEMOIZE + b"00h\x00h\x01" + STACK_GLOBAL + args + REDUCE),
        "memo beyond one byte": pickled(long_memo + module + MEMOIZE + attribute + MEMOIZE + b"00j" + struct.pack("<I", 300) + b"j" + struct.pack("<I", 301) + STACK_GLOBAL + args + REDUCE),
        "memo overwritten": pickled(text("math") + b"q\x000" + module + b"q\x000h\x00" + attribute + STACK_GLOBAL + args + REDUCE),
        "memo at a huge index": pickled(module + b"r\xff\xff\xff\x7f0j\xff\xff\xff\x7f" + attribute + STACK_GLOBAL + args + REDUCE),
        "PUT and GET as text": pickled(b"Vos\np77\n0g77\nVsystem\n" + STACK_GLOBAL + args + REDUCE),
        "MEMOIZE after sparse PUT": pickled(text("x") + b"q\x050" + module + MEMOIZE + b"0h\x01" + attribute + STACK_GLOBAL + args + REDUCE),
        "memoised name, called later": pickled(name("os", "system") + MEMOIZE + b"0h\x00" + args + REDUCE),
        "memo reached through a tuple": pickled(tup(module + MEMOIZE, attribute + MEMOIZE) + b"0h\x00h\x01" + STACK_GLOBAL + args + REDUCE),
        "DUP": pickled(module + b"2" + b"0" + attribute + STACK_GLOBAL + args + REDUCE),
        "POP and POP_MARK between": pickled(module + b"(K\x01K\x021" + attribute + b"N0" + STACK_GLOBAL + args + REDUCE),
        "POP takes the mark": pickled(b"(0" + module + attribute + STACK_GLOBAL + args + REDUCE),
        "escaped UNICODE": pickled(b"V\\u006fs\n" + b"Vsyst\\u0065m\n" + STACK_GLOBAL + args + REDUCE),
        "escaped STRING": pickled(b"S'\\x6fs'\n" + b'S"syst\\145m"\n' + STACK_GLOBAL + args + REDUCE),
        "BINUNICODE8": pickled(b"\x8d" + struct.pack("<Q", 2) + b"os" + attribute + STACK_GLOBAL + args + REDUCE),
        "SHORT_BINSTRING": pickled(b"U\x02os" + b"U\x06system" + STACK_GLOBAL + args + REDUCE),
        "dotted name": pickled(name("subprocess", "sys.modules") + name("os.path", "os.system") + args + REDUCE),
        "module of a module": pickled(name("logging", "os.system") + args + REDUCE),
        "module of a harmless module": pickled(name("random", "_os.system") + args + REDUCE),
        "name put together by str.join": pickled(module + name("builtins", "str.join") + tup(text(""), text("system")) + REDUCE + STACK_GLOBAL + args + REDUCE),
        "name put together by operator.add": pickled(module + call("operator", "add", text("sys"), text("tem")) + STACK_GLOBAL + args + REDUCE),
        "name read backwards": pickled(module + call("operator", "getitem", text("metsys"), call("builtins", "slice", b"N", b"N", b"J\xff\xff\xff\xff")) + STACK_GLOBAL + args + REDUCE),
        "getattr of a module attribute": pickled(call("builtins", "getattr", name("builtins", "object"), text("__subclasses__")) + b")R"),
        "getattr chain": pickled(call("builtins", "getattr", call("builtins", "getattr", name("logging", "Handler"), text("__init__")), text("__globals__"))),
        "getattr then call": pickled(name("builtins", "getattr") + tup(name("pathlib", "PosixPath"), text("unlink")) + REDUCE + tup(call("pathlib", "PosixPath", CMD)) + REDUCE),
        "getattr of an instance, called": pickled(name("builtins", "getattr") + tup(call("pathlib", "PosixPath", CMD), text("unlink")) + REDUCE + b")R"),
        "getattr with a made name": pickled(call("builtins", "getattr", name("math", "pi"), call("operator", "add", text("a"), text("b")))),
        "operator.attrgetter": pickled(call("operator", "attrgetter", text("__class__.__base__")) + tup(b"K\x01") + REDUCE),
        "operator.methodcaller": pickled(call("operator", "methodcaller", text("system"), CMD)),
        "partial of eval": pickled(call("functools", "partial", name("builtins", "eval"), CMD)),
        "partial called": pickled(call("functools", "partial", name("os", "system"), CMD) + b")R"),
        "map over exec": pickled(call("builtins", "list", call("builtins", "map", name("builtins", "exec"), tup(CMD)))),
        "map over a made function": pickled(call("builtins", "list", call("builtins", "map", call("operator", "attrgetter", text("x")), tup(CMD)))),
        "defaultdict of a factory": pickled(call("operator", "getitem", call("collections", "defaultdict", name("os", "abort")), CMD)),
        "starmap": pickled(call("collections", "deque", call("itertools", "starmap", name("os", "system"), tup(tup(CMD))))),
        "numpy ufunc reconstruct": pickled(call("numpy.core", "_ufunc_reconstruct", text("os"), text("system")) + args + REDUCE),
        "BUILD on a class": pickled(name("collections", "OrderedDict") + b"}" + text("__setstate__") + name("os", "system") + b"sb"),
        "BUILD on a name": pickled(name("argparse", "Namespace") + b"}" + text("__reduce__") + name("builtins", "print") + b"sb"),
        "BUILD of an instance with setstate": pickled(call("argparse", "Namespace") + b"}" + text("__setstate__") + name("os", "system") + b"sb" + CMD + b"b"),
        "SETITEM on sys.modules": pickled(name("sys", "modules") + text("x") + name("builtins", "object") + b"s"),
        "extension 1": pickled(b"\x82\x07" + args + REDUCE),
        "extension 2": pickled(b"\x83\x07\x01" + args + REDUCE),
        "extension 4": pickled(b"\x84\x07\x01\x00\x00" + args + REDUCE),
        "copyreg.add_extension": pickled(call("copyreg", "add_extension", module, attribute, b"K\x07")),
        "persistent id, then call": pickled(text("id") + b"Q" + args + REDUCE),
        "PERSID": b"Pid\n0" + SYSTEM,
        "nested in bytes": pickled(blob(nested)),
        "nested in base64": pickled(text(base64.b64encode(nested).decode())),
        "nested in url-safe base64": pickled(blob(base64.urlsafe_b64encode(nested))),
        "nested in hex": pickled(text(nested.hex())),
        "nested proto 0 in bytes": pickled(blob(SYSTEM)),
        "nested in zlib in base64": pickled(text(base64.b64encode(zlib.compress(nested)).decode())),
        "nested zip in bytes": pickled(blob(ZIP)),
        "nested twice": pickled(blob(pickled(blob(nested)))),
        "torch.storage._load_from_bytes": pickled(call("torch.storage", "_load_from_bytes", blob(ZIP))),
        "cut off behind the call": EVIL[:-1],
        "broken behind the call": EVIL[:-1] + b"\xff\xff\xff",
        "stack runs empty behind the call": EVIL[:-1] + b"0000" + STOP,
        "second pickle": pickled(b"N") + EVIL,
        "behind a large pickle": pickled(b"(" + b"K\x01" * 3000 + b"l") + EVIL,
        "many opcodes first": pickled(b"N0" * 200_000 + call("os", "system", CMD)),
        "deep tuples": pickled(b")" + b"\x85" * 50_000 + b"0" + call("os", "system", CMD)),
        "many marks": pickled(b"(" * 5_000 + b"1" * 5_000 + call("os", "system", CMD)),
        "joblib array, then a call": pickled(call("joblib.numpy_pickle", "NumpyArrayWrapper") + b"0" + call("os", "system", CMD)),
    }  # fmt: skip
    return cases


def _containers() -> dict[str, bytes]:
    """The same pickle in files whose headers lie."""
    flagged = bytearray(ZIP)
    central = flagged.rfind(b"PK\x01\x02", 0, flagged.find(b"archive/version", flagged.find(b"PK\x01\x02")))
    flagged[central + 8] |= 1  # "encrypted": zipfile refuses, torch reads on
    flagged[6] |= 1
    crc = bytearray(ZIP)
    crc[14:18] = b"\x00\x01\x02\x03"
    crc[central + 16 : central + 20] = b"\x00\x01\x02\x03"
    renamed = bytearray(ZIP)
    at = renamed.find(b"archive/data.pkl", central)
    renamed[at : at + 16] = b"archive/data.txt"
    local_renamed = bytearray(ZIP)
    local_renamed[30:46] = b"archive/data.jpg"
    method = bytearray(ZIP)
    method[8:10] = b"\x63\x00"
    method[central + 10 : central + 12] = b"\x63\x00"
    sizes = bytearray(ZIP)
    sizes[18:26] = bytes(8)
    sizes[central + 20 : central + 28] = bytes(8)
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", 54) + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"
    npy = npy.ljust(64, b" ")[: 10 + 54]
    wide = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}".ljust(54)
    plain = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(wide)) + wide
    return {
        "torch zip": ZIP,
        "torch zip, deflated": zipped(TORCH, zipfile.ZIP_DEFLATED),
        "zip: encrypted flag": bytes(flagged),
        "zip: wrong checksum": bytes(crc),
        "zip: other name in the directory": bytes(renamed),
        "zip: other name in the local header": bytes(local_renamed),
        "zip: unknown method": bytes(method),
        "zip: sizes are zero": bytes(sizes),
        "zip: cut off": ZIP[: len(ZIP) // 2],
        "zip: no end record": ZIP[: ZIP.find(b"PK\x05\x06")],
        "zip: member without extension": zipped({"weights": EVIL}),
        "zip: in a zip": zipped({"inner.zip": ZIP}),
        "polyglot: pickle, then zip": pickled(b"N") + ZIP,
        "polyglot: hostile pickle, then a harmless zip": EVIL + zipped({"archive/data.pkl": pickled(b"N")}),
        "npz with objects": zipped({"a.npy": plain + bytes(8), "b.npy": npy + EVIL}),
        "npy with objects": npy + EVIL,
        "zlib": zlib.compress(EVIL),
        "gzip": gzip.compress(EVIL),
        "bzip2": bz2.compress(EVIL),
        "xz": lzma.compress(EVIL),
        "lzma": lzma.compress(EVIL, lzma.FORMAT_ALONE),
        "gzip of a zip": gzip.compress(ZIP),
        "torch legacy": b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}." + EVIL,
    }


HOSTILE: dict[str, bytes] = {**_calls(), **_forms(), **_containers()}


def storage(index: int) -> bytes:
    """A tensor as torch.save writes it."""
    persistent = tup(text("storage"), old_name("torch", "FloatStorage"), text(str(index)), text("cpu"), b"K\x04") + b"Q"
    args = tup(
        persistent,
        b"K\x00",
        b"K\x02K\x02\x86",
        b"K\x02K\x01\x86",
        b"\x89",
        old_name("collections", "OrderedDict") + b")R",
    )
    return old_name("torch._utils", "_rebuild_tensor_v2") + args + REDUCE


def _benign() -> dict[str, bytes]:
    state = b"}(" + text("weight") + storage(0) + text("bias") + storage(1) + b"u"
    torch_pickle = pickled(old_name("collections", "OrderedDict") + b")R" + b"(" + text("w") + storage(0) + b"u")
    scripted = b"\x80\x02" + old_name("__torch__", "Net") + b")\x81" + state + b"b."
    numpy_array = (
        name("numpy._core.multiarray", "_reconstruct") + tup(name("numpy", "ndarray"), b"K\x00\x85", blob(b"b")) + REDUCE
        + tup(b"K\x01", b"K\x02\x85", call("numpy", "dtype", text("f8"), b"\x89", b"\x88"), b"\x89", blob(bytes(16))) + b"b"
    )  # fmt: skip
    legacy_head = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}."
    return {
        "torch state dict": zipped({"archive/data.pkl": torch_pickle, "archive/data/0": b"\x80\x02" + bytes(14)}),
        "torch state dict, other prefix": zipped({"model/data.pkl": torch_pickle, "model/data/0": bytes(16)}),
        "torch module": pickled(name("torch.nn.modules.linear", "Linear") + b")\x81" + state + b"b"),
        "torch optimiser": pickled(name("torch.optim.adam", "Adam") + b")\x81}b"),
        "TorchScript": zipped({"n/data.pkl": scripted, "n/constants.pkl": b"\x80\x02).", "n/code/__torch__.py": b"x"}),
        "torch legacy": legacy_head + torch_pickle + pickled(b"]") + bytes(8),
        "numpy array": pickled(numpy_array),
        "numpy array in a dict": pickled(b"}(" + text("x") + numpy_array + b"u"),
        "numpy ufunc by name": pickled(name("numpy", "sin")),
        "numpy ufunc rebuilt": pickled(call("numpy._core", "_ufunc_reconstruct", text("numpy"), text("sin"))),
        "tensor in plain pickle": pickled(call("torch.storage", "_load_from_bytes", blob(legacy_head + torch_pickle))),
        "text that is base64": pickled(text(base64.b64encode(b"nothing here at all").decode())),
        "text that mentions os.system": pickled(text("cos\nsystem\n(S'id'\ntR.")[:-1] + b"!"),
        "bytes that begin like a pickle": pickled(blob(b"\x80\x04\xff\xff\xff\xff\xff\xff")),
        "a string called os": pickled(text("os") + text("system") + b"\x86"),
        "classes of python 2": b"\x80\x02" + old_name("copy_reg", "_reconstructor") + tup(old_name("sklearn.svm.classes", "SVC"), old_name("__builtin__", "object"), b"N") + b"R}b.",
        "empty": b"\x80\x04N.",
    }  # fmt: skip


BENIGN: dict[str, bytes] = _benign()
