"""Which names a pickle may import without running anything: harmless, dangerous, or not known.

Harmless names are listed one by one, or as classes (CamelCase) of libraries whose classes only keep state. All else
is weighed: modules that reach the system are dangerous whatever is taken from them; a function of the standard
library that is called and not listed is dangerous too, so that the next gadget (`uuid`, `imaplib`,
`_osx_support` ... were all found after the denylists were made) needs no new entry. What is left is unknown, which
is said and not guessed.

Families: picklescan's CVE-2025-1716, -1889, -1944, -1945, -10155 to -10157, CVE-2026-56315; fickling's
CVE-2026-22608, -22612, GHSA-mhc9, -r7v6, -565g; modelscan#85, #330, #338.
"""

from __future__ import annotations

import re
import sys

SAFE = "safe"
UNKNOWN = "unknown"
DANGER = "danger"


def _names(module: str, names: str) -> frozenset[str]:
    return frozenset(f"{module}.{name}" for name in names.split())


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILTINS = (
    "bool bytearray bytes complex dict enumerate float frozenset int iter list memoryview object range reversed set"
    " slice str tuple zip staticmethod classmethod property Ellipsis NotImplemented NoneType len abs min max sum"
    " sorted round divmod pow ord chr hash repr xrange unicode long basestring unichr cmp all any callable isinstance"
    " issubclass id hex oct bin format ascii"
)
SCALARS = (
    "ndarray dtype generic number bool bool_ int8 int16 int32 int64 intc intp longlong uint8 uint16 uint32 uint64"
    " uintc uintp ulonglong uint float16 float32 float64 float128 longdouble single double half complex64 complex128"
    " complex256 clongdouble csingle cdouble str_ bytes_ void object_ datetime64 timedelta64 matrix recarray record"
    " flexible character inexact floating integer signedinteger unsignedinteger str object int float complex long"
    " unicode_ string_ bytes0 str0 _NoValue poly1d"
)
SAFE_NAMES = (
    _names("builtins", BUILTINS)
    | _names("__builtin__", BUILTINS)
    | _names("copyreg", "_reconstructor __newobj__ __newobj_ex__")
    | _names("copy_reg", "_reconstructor __newobj__ __newobj_ex__")
    | _names("collections", "OrderedDict defaultdict Counter deque ChainMap UserDict UserList UserString")
    | _names("_collections", "OrderedDict defaultdict deque")
    | _names("datetime", "datetime date time timedelta timezone tzinfo UTC")
    | _names("decimal", "Decimal Context") | _names("_decimal", "Decimal Context")
    | _names("fractions", "Fraction") | _names("numbers", "Number")
    | _names("uuid", "UUID SafeUUID")
    | _names("pathlib", "Path PurePath PosixPath PurePosixPath WindowsPath PureWindowsPath")
    | _names("pathlib._local", "Path PurePath PosixPath PurePosixPath WindowsPath PureWindowsPath")
    | _names("re", "_compile Pattern RegexFlag") | _names("_sre", "compile_placeholder")
    | _names("types", "SimpleNamespace GenericAlias MappingProxyType NoneType EllipsisType NotImplementedType UnionType")
    | _names("argparse", "Namespace")
    | _names("array", "array _array_reconstructor")
    | _names("random", "Random") | _names("_random", "Random")
    | _names("zoneinfo", "ZoneInfo ZoneInfo._unpickle")
    | _names("functools", "partial") | _names("_functools", "partial")
    | _names("operator", "itemgetter getitem add sub mul truediv floordiv mod neg pos abs eq ne lt le gt ge and_ or_"
             " xor not_ invert lshift rshift pow contains concat index matmul")
    | _names("_operator", "itemgetter getitem add sub mul truediv floordiv mod neg pos abs eq ne lt le gt ge and_ or_"
             " xor not_ invert lshift rshift pow contains concat index matmul")
    | _names("itertools", "count cycle repeat chain chain.from_iterable islice product permutations combinations"
             " combinations_with_replacement zip_longest compress pairwise batched tee _tee")
    | _names("io", "BytesIO StringIO") | _names("_io", "BytesIO StringIO")
    | _names("string", "Template Formatter")
    | _names("time", "struct_time")
    | _names("ipaddress", "IPv4Address IPv4Network IPv4Interface IPv6Address IPv6Network IPv6Interface")
    | _names("logging", "getLogger")
    | _names("urllib.parse", "ParseResult SplitResult DefragResult ParseResultBytes SplitResultBytes")
    | _names("typing", "Any Union Optional List Dict Tuple Set FrozenSet Type Callable Iterable Sequence Mapping TypeVar")
    | _names("enum", "Enum IntEnum Flag IntFlag StrEnum auto")
    | _names("_codecs", "encode") | _names("_struct", "Struct") | _names("struct", "Struct")
    | _names("ast", "Constant")
    | _names("email.message", "Message EmailMessage") | _names("http.cookies", "SimpleCookie Morsel")
    | _names("http.cookiejar", "CookieJar Cookie DefaultCookiePolicy")
    | _names("numpy", SCALARS)
    | _names("numpy.core.multiarray", "_reconstruct scalar ndarray dtype")
    | _names("numpy._core.multiarray", "_reconstruct scalar ndarray dtype")
    | _names("numpy.core.numeric", "_frombuffer") | _names("numpy._core.numeric", "_frombuffer")
    | _names("numpy.core._internal", "_convert_to_stringdtype_kwargs")
    | _names("numpy._core._internal", "_convert_to_stringdtype_kwargs")
    | _names("numpy.core", "_ufunc_reconstruct") | _names("numpy._core", "_ufunc_reconstruct")
    | _names("numpy.random", "__RandomState_ctor RandomState Generator")
    | _names("numpy.random._pickle", "__bit_generator_ctor __generator_ctor __randomstate_ctor")
    | _names("numpy.random.bit_generator", "SeedSequence __pyx_unpickle_SeedlessSequence BitGenerator"
             " __pyx_unpickle_SeedSequence")
    | _names("numpy.random._mt19937", "MT19937") | _names("numpy.random._pcg64", "PCG64 PCG64DXSM")
    | _names("numpy.random._philox", "Philox") | _names("numpy.random._sfc64", "SFC64")
    | _names("numpy.random._generator", "Generator") | _names("numpy.random.mtrand", "RandomState")
    | _names("numpy.ma.core", "_mareconstruct MaskedArray MaskedConstant mvoid")
    | _names("numpy.ma", "MaskedArray") | _names("numpy.matrixlib.defmatrix", "matrix")
    | _names("numpy.rec", "recarray record") | _names("numpy.core.records", "recarray record")
    | _names("numpy._core.records", "recarray record")
    | _names("numpy.polynomial.polynomial", "Polynomial") | _names("numpy.lib.polynomial", "poly1d")
    | _names("numpy.lib._polynomial_impl", "poly1d")
    | _names("joblib.numpy_pickle", "NumpyArrayWrapper NDArrayWrapper ZNDArrayWrapper")
    | _names("torch", "Size device dtype Tensor Generator layout memory_format qscheme finfo iinfo bfloat16 bool cdouble"
             " cfloat chalf complex128 complex32 complex64 double float float16 float32 float64 float8_e4m3fn"
             " float8_e5m2 half int int16 int32 int64 int8 long qint32 qint8 quint8 short uint8 uint16 uint32 uint64"
             " strided sparse_coo contiguous_format channels_last preserve_format per_tensor_affine"
             " per_channel_affine BoolStorage ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage"
             " DoubleStorage FloatStorage HalfStorage IntStorage LongStorage QInt32Storage QInt8Storage QUInt8Storage"
             " ShortStorage BFloat16Storage UntypedStorage TypedStorage FloatTensor DoubleTensor HalfTensor LongTensor"
             " IntTensor ByteTensor BoolTensor BFloat16Tensor")
    | _names("torch.cuda", "FloatStorage HalfStorage DoubleStorage LongStorage IntStorage ByteStorage BoolStorage"
             " BFloat16Storage ShortStorage CharStorage FloatTensor HalfTensor LongTensor")
    | _names("torch._utils", "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter"
             " _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_tensor _rebuild_sparse_csr_tensor"
             " _rebuild_meta_tensor_no_storage _rebuild_nested_tensor _rebuild_device_tensor_from_numpy"
             " _rebuild_device_tensor_from_cpu_tensor")
    | _names("torch.storage", "UntypedStorage TypedStorage _UntypedStorage _TypedStorage")
    | _names("torch.serialization", "_get_layout")
    | _names("torch._tensor", "_rebuild_from_type_v2 Tensor")
    | _names("torch.nn.parameter", "Parameter Buffer UninitializedParameter")
    | _names("torch.jit._pickle", "build_intlist build_tensorlist build_doublelist build_boollist"
             " build_tensor_from_id restore_type_tag")
    | _names("xgboost.core", "Booster") | _names("xgboost.sklearn", "XGBClassifier XGBRegressor XGBRanker XGBModel"
             " XGBRFClassifier XGBRFRegressor")
    | _names("lightgbm.basic", "Booster") | _names("lightgbm.sklearn", "LGBMClassifier LGBMRegressor LGBMRanker LGBMModel")
    | _names("catboost.core", "CatBoost CatBoostClassifier CatBoostRegressor CatBoostRanker Pool")
    | _names("sklearn.neighbors._kd_tree", "newObj") | _names("sklearn.neighbors._ball_tree", "newObj")
    | _names("sklearn.metrics._dist_metrics", "newObj") | _names("sklearn.neighbors._dist_metrics", "newObj")
    | _names("scipy.sparse._csr", "csr_matrix csr_array") | _names("scipy.sparse._csc", "csc_matrix csc_array")
    | _names("scipy.sparse._coo", "coo_matrix coo_array") | _names("scipy.sparse._lil", "lil_matrix lil_array")
    | _names("scipy.sparse._dok", "dok_matrix dok_array") | _names("scipy.sparse._dia", "dia_matrix dia_array")
    | _names("scipy.sparse._bsr", "bsr_matrix bsr_array") | _names("scipy.sparse.csr", "csr_matrix")
    | _names("scipy.sparse.csc", "csc_matrix") | _names("scipy.sparse.coo", "coo_matrix")
    | _names("scipy.spatial._ckdtree", "cKDTree") | _names("scipy.spatial._kdtree", "KDTree")
    | _names("pandas.core.internals.blocks", "new_block") | _names("pandas.core.indexes.base", "_new_Index")
    | _names("pandas.core.indexes.datetimes", "_new_DatetimeIndex") | _names("pandas.core.indexes.period", "_new_PeriodIndex")
    | _names("pyarrow.lib", "_restore_array py_buffer type_for_alias schema field struct list_ Schema Field DataType"
             " Array ChunkedArray Table RecordBatch Buffer")
    | _names("pandas", "StringDtype CategoricalDtype DatetimeTZDtype IntervalDtype PeriodDtype SparseDtype ArrowDtype"
             " BooleanDtype Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype"
             " Float32Dtype Float64Dtype MultiIndex DatetimeIndex CategoricalIndex TimedeltaIndex IntervalIndex DateOffset")
    | _names("pandas", "DataFrame Series Index RangeIndex Timestamp Timedelta Categorical Interval Period NaT NA")
)  # fmt: skip

CLASS = r"_?[A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*"
# classes of libraries that only keep state; the names below that re-export others' classes are taken out again
SAFE_CLASSES = re.compile(
    rf"(?:sklearn(?:\.(?!externals\b|datasets\b|tests\b|conftest\b|utils\._testing\b|_build_utils\b)\w+)+\.{CLASS}"
    rf"|torch\.nn\.modules\.\w+\.{CLASS}|torch\.optim\.\w+\.{CLASS}"
    rf"|pandas\.core\.(?!computation\b)\w+(?:\.\w+)*\.{CLASS}"
    rf"|pandas\._libs\.(?:\w+\.)*(?:{CLASS}|__pyx_unpickle_\w+|_unpickle_\w+|_nat_unpickle|__nat_unpickle)"
    rf"|pandas\._libs\.missing\.{CLASS}|pandas\.(?:arrays|tseries\.offsets)\.{CLASS}"
    rf"|numpy\.dtypes\.{CLASS}|numpy\.(?:_?core)\.multiarray\.\w+DType"
    rf"|sklearn(?:\.\w+)+\.__pyx_unpickle_\w+"
    rf"|scipy\.interpolate\.\w+\.{CLASS}"
    rf"|torch\.\w*(?:Storage|Tensor)"
    rf"|builtins\.{CLASS}(?:Error|Exception|Warning|Exit|Interrupt|Iteration|Group)|builtins\.(?:Exception|BaseException)"
    rf"|exceptions\.{CLASS}"
    rf"|(?:math|cmath|statistics)\.[a-z]\w*)\Z"
)
# functions that may stand in a pickle as long as nothing calls them there
FUNCTIONS = re.compile(r"(?:numpy|scipy\.special(?:\._ufuncs)?)\.[a-z]\w*\Z")
RE_EXPORTED = _words("""
    Popen Thread Process Timer Pool ThreadPool Parallel Memory Path StringIO BytesIO Unpickler Pickler FunctionType
    CodeType LambdaType ModuleType MethodType InteractiveInterpreter InteractiveConsole Event Lock Executor
    ThreadPoolExecutor ProcessPoolExecutor TemporaryDirectory NamedTemporaryFile ZipFile TarFile GzipFile
    SourceFileLoader Logger FileHandler Environment Request URLopener Session
""")

# modules that reach the system, the network, the file system, the interpreter or other pickles
DANGEROUS_MODULES = _words("""
    os posix nt posixpath ntpath subprocess _posixsubprocess _winapi sys builtins __builtin__ __builtins__ __main__
    runpy pip _pip ensurepip venv pty tty code codeop ctypes _ctypes cffi pydoc pydoc_data pdb bdb cProfile profile
    _lsprof trace timeit doctest importlib _frozen_importlib _frozen_importlib_external imp _imp pkgutil zipimport
    zipapp marshal pickle _pickle cPickle pickletools shelve dbm dill shutil tempfile glob fileinput linecache
    socket _socket ssl _ssl http httplib urllib urllib2 urllib3 ftplib smtplib imaplib poplib nntplib telnetlib
    xmlrpc socketserver wsgiref webbrowser antigravity asyncio asyncore asynchat multiprocessing _multiprocessing
    concurrent threading _thread thread signal _signal sched atexit site sitecustomize usercustomize sysconfig
    _sysconfigdata distutils setuptools pkg_resources wheel lib2to3 idlelib tkinter turtle test unittest rlcompleter
    readline cgi cgitb mailcap mailbox platform commands popen2 _osx_support _aix_support _pyrepl _bootsubprocess
    _bootlocale bsddb fcntl mmap resource gc inspect dis symtable compileall py_compile sqlite3 _sqlite3 zipfile
    tarfile gzip bz2 lzma netrc getpass getopt crypt spwd pwd grp syslog select selectors faulthandler tracemalloc
    pyclbr tabnanny this modulefinder nturl2path xdrlib pexpect ptyprocess paramiko fabric invoke plumbum sh
    requests httpx aiohttp IPython jupyter_client ipykernel nbconvert pytest _pytest nose psutil docker boto3
    botocore jinja2 mako execnet winreg msvcrt win32api _xxsubinterpreters _interpreters interpreters _testcapi
    _testinternalcapi xxlimited cmd curses pipes plistlib py nt_ java js pyodide smtpd aifc chunk uu hmac_
    jsonpickle yaml ruamel
""")
# parts of otherwise useful libraries
DANGEROUS_PREFIXES = re.compile(
    r"(?:numpy\.(?:testing|f2py|distutils|lib\.(?:npyio|_npyio_impl|format|_format_impl|utils|_utils_impl|_datasource)"
    r"|ctypeslib|load|loads|save|savez|fromfile|memmap|fromregex|genfromtxt|loadtxt|savetxt|DataSource|compat"
    r"|_pytesttester|conftest|core\.memmap|_core\.memmap)"
    r"|torch\.(?:hub|serialization\.load|load|jit|fx|_dynamo|_inductor|distributed|multiprocessing|package|utils\."
    r"(?!_rebuild)|testing|ops|_ops|classes|_classes|compile|cuda\.(?!\w+(?:Storage|Tensor)\Z)|library|onnx|export)"
    r"|joblib\.(?!numpy_pickle\.N)|cloudpickle\.cloudpickle\.(?:subimport|loads?|_lookup)|dill\."
    r"|pandas\.(?:eval|read_\w+|io|core\.computation|util|testing|_testing|compat|core\.common\.pipe)"
    r"|sklearn\.(?:externals|datasets|utils\._testing|_build_utils|conftest)"
    r"|scipy\.(?:io|_lib\._ccallback|_lib\.deprecation|weave|misc\.common|datasets)"
    r"|tensorflow\.|tf_keras\.|keras\.|transformers\.(?:pipeline|utils|dynamic|trainer)|huggingface_hub\."
    r"|matplotlib\.(?:cbook|testing|sphinxext)|sympy\.(?:sympify|core\.sympify|parsing|utilities)|numexpr\.|numba\."
    r"|logging\.(?:config|handlers|FileHandler|_)|operator\.(?:attrgetter|methodcaller|call|setitem|delitem|iadd|iconcat)\b|_operator\.(?:attrgetter"
    r"|methodcaller|call|setitem|delitem)\b|functools\.(?:reduce|cached_property|singledispatch|wraps|update_wrapper|lru_cache)"
    r"|_functools\.reduce|copyreg\.(?!_reconstructor\Z|__newobj)|copy_reg\.(?!_reconstructor\Z|__newobj)"
    r"|types\.(?:FunctionType|LambdaType|CodeType|ModuleType|MethodType|BuiltinFunctionType|new_class|coroutine|FrameType)"
    r"|uuid\.(?!UUID\Z|SafeUUID\Z)|io\.(?:open|open_code|FileIO|TextIOWrapper|BufferedWriter|BufferedReader)"
    r"|_io\.(?:open|open_code|FileIO|TextIOWrapper|BufferedWriter|BufferedReader)|codecs\.(?:open|StreamReaderWriter|lookup)"
    r"|django\.(?:core|utils|template)|flask\.|werkzeug\.|celery\.|airflow\.|ray\.|dask\.|pydantic\.(?:v1\.)?utils"
    r"|typing\.(?:get_type_hints|_eval_type|ForwardRef)|collections\.namedtuple|enum\._make_class|string\.Formatter\."
    r"|dataclasses\.(?:make_dataclass|_create_fn)|contextlib\.|weakref\.|abc\.|traceback\.|warnings\.|locale\.)"
)
DUNDER = re.compile(r"__\w+__\Z")
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
ACTS = _words("""
    exec execute execfile eval evaluate system popen spawn shell subprocess cmd command run runstring runscript
    import importer load loads loader open download fetch urlopen compile interpret call invoke install launch
    process unpickle unlink remove rmtree write delete
""")
HARMLESS_ACTS = re.compile(r"_?(?:re)?(?:build|construct|new)|__pyx_unpickle_|_unpickle_|.*_ctor\Z")


def python2(module: str, name: str) -> tuple[str, str]:
    """The Python 3 name that the unpickler makes of a Python 2 one (protocols 0 to 2)."""
    import _compat_pickle

    mapped = _compat_pickle.NAME_MAPPING.get((module, name))
    if mapped:
        return mapped
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def judge(module: str, name: str, called: bool) -> str:
    """SAFE, UNKNOWN or DANGER for one imported name; dotted names count with all their parts."""
    verdict = _judge(module, name, called)
    if verdict == SAFE:
        return verdict
    other = python2(module, name)
    if other == (module, name):
        return verdict
    mapped = _judge(*other, called)
    return mapped if module not in sys.stdlib_module_names or mapped == DANGER else verdict


def _judge(module: str, name: str, called: bool) -> str:
    full = f"{module}.{name}"
    if full in SAFE_NAMES:
        return SAFE
    top = module.partition(".")[0]
    parts = name.split(".")
    if any(DUNDER.match(part) for part in parts):
        return DANGER
    if SAFE_CLASSES.match(full) and "." not in name and name not in RE_EXPORTED:
        return SAFE
    if top in DANGEROUS_MODULES or DANGEROUS_PREFIXES.match(full):
        return DANGER
    if top == "__torch__":  # TorchScript's own classes, which Python never imports
        return SAFE
    if not called and FUNCTIONS.match(full):
        return SAFE
    inner = module.split(".")[1:] + parts[:-1] + ([parts[-1]] if parts[-1].islower() else [])
    if any(part in REACHED for part in inner):
        return DANGER  # a module taken from a module: `logging.os`, `torch.serialization` `os.system`
    function = not re.match(r"_?[A-Z]", parts[-1])
    if top in sys.stdlib_module_names:
        return DANGER if called and function else UNKNOWN
    if called and function and not HARMLESS_ACTS.match(parts[-1]):
        words = {word.lower() for word in WORDS.findall(parts[-1])} | {word.lower() for word in parts[-1].split("_")}
        if words & ACTS:
            return DANGER
    return UNKNOWN


REACHED = _words("""
    os posix nt sys subprocess builtins importlib runpy pty ctypes shutil socket pickle marshal multiprocessing
    threading asyncio tempfile signal codeop pdb inspect gc
""")
