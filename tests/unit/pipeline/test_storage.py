"""Files come back as they were written, or say that they did not."""

import os
import pickle
import resource
import stat
from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import storage
from pipeline.storage import DamagedFileError, read_arrays, replacing, write_arrays, write_text
from pipeline.tidy import read_table, write_table

pytestmark = pytest.mark.long

ARRAYS = {
    "repetition": np.arange(3),
    "error": np.array([[np.pi, -0.0, np.nan], [np.inf, 1e-310, -1.0]]),
    "status": np.array(["certified unique", "not unique", "not certified"]),
    "flags": np.array([True, False]),
    "nothing": np.zeros((0, 4)),
    "scalar": np.float64(2.5),
}
TABLE = pd.DataFrame(
    {
        "depth": [2.0, 3.0, np.nan],
        "count": [1, 2, 3],
        "status": ["certified unique", "not unique", "not certified"],
    }
)


def names(folder):
    return [path.name for path in folder.iterdir()]


def assert_same_arrays(found, expected=ARRAYS):
    assert set(found) == set(expected)
    for name, value in expected.items():
        value = np.asarray(value)
        assert found[name].dtype == value.dtype and found[name].shape == value.shape
        assert found[name].tobytes() == value.tobytes()


def assert_same_table(found):
    pd.testing.assert_frame_equal(found, TABLE)


def test_arrays_come_back_bit_for_bit(tmp_path):
    write_arrays(tmp_path / "a.npz", **ARRAYS)
    assert_same_arrays(read_arrays(tmp_path / "a.npz"))


def test_tables_come_back(tmp_path):
    write_table(tmp_path / "a.parquet", TABLE)
    assert_same_table(read_table(tmp_path / "a.parquet"))


def test_text_comes_back_with_its_own_line_ends(tmp_path):
    write_text(tmp_path / "a.txt", "ℓ¹\nrate\n")
    assert (tmp_path / "a.txt").read_bytes() == "ℓ¹\nrate\n".encode()


def test_folders_are_made(tmp_path):
    write_arrays(tmp_path / "one" / "two" / "a.npz", **ARRAYS)
    assert_same_arrays(read_arrays(tmp_path / "one" / "two" / "a.npz"))


def test_the_same_arrays_give_the_same_bytes(tmp_path, monkeypatch):
    for folder in ("one", "another"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        write_arrays("a.npz", **ARRAYS)
        write_table("a.parquet", TABLE)
    for name in ("a.npz", "a.parquet"):
        one, another = (tmp_path / folder / name for folder in ("one", "another"))
        assert one.read_bytes() == another.read_bytes()


@pytest.mark.parametrize("name", ["origin", "checksum"])
def test_names_of_the_file_itself_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=name):
        write_arrays(tmp_path / "a.npz", **{name: np.zeros(1)})
    assert names(tmp_path) == []


# No pickles


class Payload:
    """What a pickle may do when it is read."""

    def __reduce__(self):
        return os.mkdir, (os.environ["PAYLOAD"],)


def test_pickles_are_never_read(tmp_path, monkeypatch):
    monkeypatch.setenv("PAYLOAD", str(tmp_path / "executed"))
    np.savez(tmp_path / "a.npz", fine=np.zeros(2), evil=np.array([Payload()], dtype=object))
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Payload()))
    for name in ("a.npz", "b.npz"):
        with pytest.raises(DamagedFileError, match=name):
            read_arrays(tmp_path / name)
    assert not (tmp_path / "executed").exists()


def test_pickles_are_never_written(tmp_path):
    with pytest.raises((ValueError, TypeError)):
        write_arrays(tmp_path / "a.npz", mixed=np.array([1, "one", None], dtype=object))
    assert names(tmp_path) == []


# Damage


def outcome(read, path, raw, compare):
    """What reading damaged bytes leads to; anything but "damaged" and "same" is wrong."""
    path.write_bytes(raw)
    try:
        found = read(path)
    except DamagedFileError as error:
        return "damaged" if str(path) in str(error) else f"does not name the file: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "same" if same(compare, found) else "other content, silently"


def same(compare, found):
    # damaged content may break the comparison itself
    try:
        compare(found)
    except Exception:
        return False
    return True


KINDS = {
    "npz": (lambda path: write_arrays(path, **ARRAYS), read_arrays, assert_same_arrays),
    "parquet": (lambda path: write_table(path, TABLE), read_table, assert_same_table),
}


@pytest.fixture(params=KINDS)
def kind(request, tmp_path):
    """(path for damaged bytes, sound bytes, reader, comparison)."""
    write, read, compare = KINDS[request.param]
    sound = tmp_path / f"sound.{request.param}"
    write(sound)
    return tmp_path / f"damaged.{request.param}", sound.read_bytes(), read, compare


def test_truncated_files_are_reported(kind):
    path, raw, read, compare = kind
    lengths = [*range(0, len(raw), max(1, len(raw) // 200)), len(raw) - 1]
    seen = {outcome(read, path, raw[:length], compare) for length in lengths}
    assert seen == {"damaged"}


def test_flipped_bits_are_reported_or_harmless(kind):
    path, raw, read, compare = kind
    seen = {}
    for place in range(0, len(raw), 1 + len(raw) // 1000):
        damaged = bytearray(raw)
        damaged[place] ^= 1 << (place % 8)
        seen.setdefault(outcome(read, path, bytes(damaged), compare), []).append(place)
    wrong = {what: places for what, places in seen.items() if what not in ("damaged", "same")}
    assert wrong == {}


def test_other_content_is_reported(kind):
    path, _, read, compare = kind
    for raw in (b"", b"not a file of this kind", b"\0" * 4000):
        assert outcome(read, path, raw, compare) == "damaged"


def test_a_single_array_is_not_an_archive(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(DamagedFileError, match=r"a\.npz"):
        read_arrays(tmp_path / "a.npz")


def test_a_file_that_does_not_tell_its_origin_is_reported(tmp_path):
    np.savez(tmp_path / "a.npz", repetition=np.arange(3))
    TABLE.to_parquet(tmp_path / "a.parquet")
    for read, name in ((read_arrays, "a.npz"), (read_table, "a.parquet")):
        with pytest.raises(DamagedFileError, match=rf"{name} is damaged \(it does not tell"):
            read(tmp_path / name)


@pytest.mark.parametrize("change", ["values", "type", "shape", "name", "missing", "origin"])
def test_arrays_packed_anew_do_not_match_their_checksum(tmp_path, change):
    path = tmp_path / "a.npz"
    write_arrays(path, error=np.arange(4.0), status=np.array(["a", "b"]))
    with np.load(path) as archive:
        arrays = dict(archive)
    error = arrays.pop("error")
    if change == "origin":
        arrays["origin"] = np.array(arrays["origin"].item().replace(b"a.npz", b"b.npz"))
    arrays |= {
        "values": {"error": np.nextafter(error, 9.0)},
        "type": {"error": error.view(np.int64)},
        "shape": {"error": error.reshape(2, 2)},
        "name": {"errors": error},
        "missing": {},
        "origin": {"error": error},
    }[change]
    np.savez(path, **arrays)
    with pytest.raises(DamagedFileError, match=r"a\.npz"):
        read_arrays(path)


def test_a_table_with_another_origin_does_not_match_its_checksum(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, TABLE)
    table = pq.read_table(path)
    metadata = table.schema.metadata
    forged = metadata | {b"origin": metadata[b"origin"].replace(b"a.parquet", b"b.parquet")}
    pq.write_table(table.replace_schema_metadata(forged), path)
    with pytest.raises(DamagedFileError, match=r"a\.parquet"):
        read_table(path)


@pytest.mark.parametrize("read", [read_arrays, read_table])
def test_missing_files_are_not_called_damaged(tmp_path, read):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "absent")


# Interrupted writes


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError, SystemExit])
def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch, interruption):
    path = tmp_path / "a.npz"
    write_arrays(path, **ARRAYS)
    before = path.read_bytes()

    def half(file, **arrays):
        file.write_bytes(b"half of it")
        raise interruption

    monkeypatch.setattr(storage.np, "savez", half)
    with pytest.raises(interruption):
        write_arrays(path, other=np.zeros(3))
    assert path.read_bytes() == before
    assert names(tmp_path) == ["a.npz"]


def test_an_interrupted_first_write_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half of it")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_the_file_appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename within one file system is atomic
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


def test_what_a_killed_job_has_left_is_overwritten(tmp_path):
    """A process that is killed runs no handler: its unfinished file stays, until the next."""
    path = tmp_path / "a.txt"
    with suppress(KeyboardInterrupt), replacing(path) as temporary:
        left = temporary
        raise KeyboardInterrupt
    left.write_text("half of what a killed job wrote")
    write_text(path, "whole")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "whole"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_mode_follows_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.txt", "")
        write_arrays(tmp_path / "a.npz", **ARRAYS)
        assert os.umask(umask) == umask  # as it was found
    finally:
        os.umask(before)
    for name in ("a.txt", "a.npz"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode


def test_what_is_missing_comes_back_missing(tmp_path):
    frame = pd.DataFrame(
        {
            "x": [1.5, np.nan, -0.0, np.inf],
            "n": [1, 2, 3, 4],
            "yes": [True, False, True, True],
            "word": ["ϱ", None, "", "nan"],
            "nothing": [None] * 4,
        }
    )
    write_table(tmp_path / "a.parquet", frame)
    found = read_table(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(found, frame, check_exact=True)
    assert np.signbit(found["x"][2])
    assert pq.read_table(tmp_path / "a.parquet").to_pydict()["word"] == ["ϱ", None, "", "nan"]


def test_the_index_of_a_frame_is_no_column(tmp_path):
    write_table(tmp_path / "a.parquet", TABLE.set_index(np.array([7, 8, 9])))
    assert_same_table(read_table(tmp_path / "a.parquet"))


def test_a_column_of_several_types_is_not_written(tmp_path):
    with pytest.raises((TypeError, ValueError)):
        write_table(tmp_path / "a.parquet", pd.DataFrame({"mixed": ["one", 2.0]}))
    assert names(tmp_path) == []


@pytest.mark.parametrize("change", ["number", "missing", "text", "type", "name", "order"])
def test_tables_packed_anew_do_not_match_their_checksum(tmp_path, change):
    path = tmp_path / "a.parquet"
    write_table(path, TABLE)
    metadata = pq.read_table(path).schema.metadata
    frame = {
        "number": TABLE.assign(depth=[2.0, np.nextafter(3.0, 4.0), np.nan]),
        "missing": TABLE.assign(depth=[2.0, 3.0, 0.0]),
        "text": TABLE.assign(status=TABLE["status"][::-1].to_numpy()),
        "type": TABLE.astype({"count": float}),
        "name": TABLE.rename(columns={"count": "number"}),
        "order": TABLE[["count", "depth", "status"]],
    }[change]
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(metadata), path)
    with pytest.raises(DamagedFileError, match=r"a\.parquet is damaged \(its content"):
        read_table(path)


def test_a_full_disk_names_the_file(tmp_path):
    """And leaves what was there before."""
    path = tmp_path / "values.npz"
    write_arrays(path, values=np.zeros(3))
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write_arrays(path, values=np.zeros(1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
