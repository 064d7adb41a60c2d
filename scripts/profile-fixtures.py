#!/usr/bin/env python3
"""Derives test/fixtures/profile from two recorded exports of Nsight Systems, and works out what a reader must find.

Usage: profile-fixtures.py <power-iteration-t4.sqlite> <h100-2gpu-1s.sqlite> <copy-blocked-t4.csv>

The figures come from Python's own sqlite3 and from counting in the plainest way: every boundary of every interval is
sorted (ends before starts) and walked. Nothing here shares code with src/profile.
"""

import csv
import gzip
import io
import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "profile"
RANGES_KEPT = 1000
KEPT = {
    "StringIds",
    "ANALYSIS_DETAILS",
    "DIAGNOSTIC_EVENT",
    "NVTX_EVENTS",
    "CUPTI_ACTIVITY_KIND_RUNTIME",
    "CUPTI_ACTIVITY_KIND_KERNEL",
    "CUPTI_ACTIVITY_KIND_MEMCPY",
    "CUPTI_ACTIVITY_KIND_MEMSET",
    "CUPTI_ACTIVITY_KIND_OVERHEAD",
    "PROFILER_OVERHEAD",
    "OSRT_API",
    "TARGET_INFO_GPU",
    "TARGET_INFO_CUDA_DEVICE",
    "META_DATA_EXPORT",
    "META_DATA_CAPTURE",
}


def slim(source, name):
    """The tables that are read, and the strings that they name; nothing else is changed."""
    path = Path(tempfile.mkdtemp()) / "slim.sqlite"
    shutil.copyfile(source, path)
    path.chmod(0o644)
    db = sqlite3.connect(path)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        if table not in KEPT and not table.startswith("sqlite_"):
            db.execute(f"DROP TABLE {table}")
    db.execute("CREATE TEMP TABLE used (id INTEGER PRIMARY KEY)")
    for table, columns in (
        ("CUPTI_ACTIVITY_KIND_KERNEL", ("demangledName", "shortName")),
        ("CUPTI_ACTIVITY_KIND_RUNTIME", ("nameId",)),
        ("OSRT_API", ("nameId",)),
        ("NVTX_EVENTS", ("textId",)),
    ):
        if table in tables:
            for column in columns:
                db.execute(f"INSERT OR IGNORE INTO used SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
    # Ranges are alike after the first few hundred, and make up most of a file.
    db.execute(f"DELETE FROM NVTX_EVENTS WHERE rowid > {RANGES_KEPT}")
    db.execute("DELETE FROM StringIds WHERE id NOT IN (SELECT id FROM used)")
    db.commit()
    db.execute("VACUUM")
    db.close()
    with open(FOLDER / name, "wb") as out, gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
        packed.write(path.read_bytes())
    return path


def walk(intervals):
    """Union, most at once, and the gaps of intervals, boundary by boundary."""
    marks = sorted([(start, 1) for start, _ in intervals] + [(end, 0) for _, end in intervals])
    active = most = busy = 0
    gaps = []
    last = None
    for time, starts in marks:
        if active > 0:
            busy += time - last
        elif last is not None and time > last:
            gaps.append((last, time))
        active += 1 if starts else -1
        most = max(most, active)
        last = time
    return busy, most, gaps


def overlap(interval, others):
    return sum(max(0, min(interval[1], end) - max(interval[0], start)) for start, end in others)


def merged(intervals):
    out = []
    for start, end in sorted(intervals):
        if out and start <= out[-1][1]:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([start, end])
    return out


def type7(values, q):
    values = sorted(values)
    place = (len(values) - 1) * q
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def device(db, number, launches):
    kernels = db.execute(
        "SELECT start, end, globalPid / 16777216 % 16777216, correlationId FROM CUPTI_ACTIVITY_KIND_KERNEL WHERE deviceId = ?",
        (number,),
    ).fetchall()
    spans = [(start, end) for start, end, _, _ in kernels]
    busy, most, gaps = walk(spans)
    copies = merged(
        [
            row
            for table in ("CUPTI_ACTIVITY_KIND_MEMCPY", "CUPTI_ACTIVITY_KIND_MEMSET")
            if has(db, table)
            for row in db.execute(f"SELECT start, end FROM {table} WHERE deviceId = ?", (number,))
        ]
    )
    launched = {start: launches.get((process, number_)) for start, _, process, number_ in kernels}
    host = launch = unknown = transfer = 0
    for gap in gaps:
        filled = overlap(gap, copies)
        transfer += filled
        began = launched[gap[1]]
        if began is None:
            unknown += gap[1] - gap[0] - filled
            continue
        cut = min(max(began, gap[0]), gap[1])
        host += cut - gap[0] - overlap((gap[0], cut), copies)
        launch += gap[1] - cut - overlap((cut, gap[1]), copies)
    lengths = [end - start for start, end in gaps]
    return {
        "kernels": len(kernels),
        "gpuTimeNs": sum(end - start for start, end in spans),
        "busyNs": busy,
        "spanNs": max(end for _, end in spans) - min(start for start, _ in spans),
        "maxKernels": most,
        "gaps": {
            "count": len(lengths),
            "totalNs": sum(lengths),
            "p50Ns": type7(lengths, 0.5),
            "p99Ns": type7(lengths, 0.99),
            "maxNs": max(lengths),
        },
        "idle": {"transferNs": transfer, "launchBoundNs": launch, "hostBoundNs": host, "unknownNs": unknown},
    }


def has(db, table):
    return db.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0] == 1


def expected(path):
    db = sqlite3.connect(path)
    launches = {}
    for start, process, number in db.execute(
        "SELECT start, globalTid / 16777216 % 16777216, correlationId FROM CUPTI_ACTIVITY_KIND_RUNTIME"
    ):
        launches[(process, number)] = min(start, launches.get((process, number), start))
    figures = {
        "recordedNs": db.execute("SELECT max(duration) FROM ANALYSIS_DETAILS").fetchone()[0],
        "devices": {
            str(number): device(db, number, launches)
            for (number,) in db.execute("SELECT DISTINCT deviceId FROM CUPTI_ACTIVITY_KIND_KERNEL ORDER BY 1").fetchall()
        },
        "kernels": [
            {"name": name, "instances": count, "totalNs": total, "minNs": least, "maxNs": most}
            for name, count, total, least, most in db.execute(
                "SELECT s.value, count(*), sum(end - start), min(end - start), max(end - start) FROM CUPTI_ACTIVITY_KIND_KERNEL JOIN StringIds s ON s.id = demangledName GROUP BY s.value ORDER BY 3 DESC LIMIT 5"
            )
        ],
        "copies": {
            str(kind): {"count": count, "totalNs": total, "bytes": size}
            for kind, count, total, size in db.execute(
                "SELECT copyKind, count(*), sum(end - start), sum(bytes) FROM CUPTI_ACTIVITY_KIND_MEMCPY GROUP BY copyKind"
            )
        },
        "memsets": db.execute("SELECT count(*), sum(end - start), sum(bytes) FROM CUPTI_ACTIVITY_KIND_MEMSET").fetchone()
        if has(db, "CUPTI_ACTIVITY_KIND_MEMSET")
        else None,
        "apiCalls": db.execute("SELECT count(*), sum(end - start) FROM CUPTI_ACTIVITY_KIND_RUNTIME").fetchone(),
        "ranges": db.execute("SELECT count(*), sum(end - start) FROM NVTX_EVENTS WHERE eventType IN (59, 60)").fetchone(),
    }
    db.close()
    return figures


def chrome(path, name):
    """The same trace as Chrome JSON, in the form of the tool that recorded it: short names, microseconds."""
    db = sqlite3.connect(path)
    strings = dict(db.execute("SELECT id, value FROM StringIds"))
    events = [
        {
            "name": strings[short],
            "ph": "X",
            "cat": "cuda",
            "ts": start / 1000.0,
            "dur": (end - start) / 1000.0,
            "tid": f"CUDA API {stream}",
            "pid": f"Device {number}",
            "args": {"NVTXRegions": [None]},
        }
        for start, end, number, stream, short in db.execute(
            "SELECT start, end, deviceId, streamId, shortName FROM CUPTI_ACTIVITY_KIND_KERNEL"
        )
    ]
    with open(FOLDER / name, "wb") as out, gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
        packed.write(json.dumps(events).encode())


def grouped(value):
    """Thousands in threes, as some versions print them."""
    return f"{value:,.3f}"


def stats(path, name):
    """Reports as `nsys stats --timeunit us` prints them one after the other, with its chatter between."""
    db = sqlite3.connect(path)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")

    def report(title, head, sql):
        out.write(f"Processing [report1.sqlite] with [{title}]... \n\n ** Summary ({title}):\n\n")
        writer.writerow(head)
        rows = db.execute(sql).fetchall()
        whole = sum(row[1] for row in rows) or 1
        for label, total, count, least, most in rows:
            mean = total / count
            writer.writerow(
                [f"{100 * total / whole:.1f}", grouped(total / 1e3), count, grouped(mean / 1e3), "", grouped(least / 1e3), grouped(most / 1e3), "n/a", label]
            )
        out.write("\n")

    def head(count, label):
        return ["Time (%)", "Total Time (us)", count, "Avg (us)", "Med (us)", "Min (us)", "Max (us)", "StdDev (us)", label]

    times = "sum(end - start), count(*), min(end - start), max(end - start)"
    report("cuda_gpu_kern_sum", head("Instances", "Name"), f"SELECT s.value, {times} FROM CUPTI_ACTIVITY_KIND_KERNEL JOIN StringIds s ON s.id = demangledName GROUP BY 1 ORDER BY 2 DESC")
    report("cuda_gpu_mem_time_sum", head("Count", "Operation"), f"SELECT '[CUDA memcpy Device-to-Host]', {times} FROM CUPTI_ACTIVITY_KIND_MEMCPY")
    count, size = db.execute("SELECT count(*), sum(bytes) FROM CUPTI_ACTIVITY_KIND_MEMCPY").fetchone()
    writer.writerow(["Total (MB)", "Count", "Avg (MB)", "Med (MB)", "Min (MB)", "Max (MB)", "StdDev (MB)", "Operation"])
    writer.writerow([f"{size / 1e6:.6f}", count, "", "", "", "", "", "[CUDA memcpy Device-to-Host]"])
    out.write("SKIPPED: report1.sqlite does not contain OpenMP data.\n")
    report("cuda_api_sum", head("Num Calls", "Name"), f"SELECT s.value, {times} FROM CUPTI_ACTIVITY_KIND_RUNTIME JOIN StringIds s ON s.id = nameId GROUP BY 1 ORDER BY 2 DESC")
    report("osrt_sum", head("Num Calls", "Name"), f"SELECT s.value, {times} FROM OSRT_API JOIN StringIds s ON s.id = nameId GROUP BY 1 ORDER BY 2 DESC")
    (FOLDER / name).write_text(out.getvalue())


def main():
    t4, h100, ncu = sys.argv[1:]
    FOLDER.mkdir(parents=True, exist_ok=True)
    t4_slim, h100_slim = slim(t4, "power-iteration-t4.sqlite.gz"), slim(h100, "h100-2gpu-1s.sqlite.gz")
    chrome(t4_slim, "power-iteration-t4.chrome.json.gz")
    stats(t4_slim, "power-iteration-t4.stats.csv")
    shutil.copyfile(ncu, FOLDER / "copy-blocked-t4.csv")
    (FOLDER / "copy-blocked-t4.csv").chmod(0o644)
    figures = {"power-iteration-t4": expected(t4_slim), "h100-2gpu-1s": expected(h100_slim)}
    (FOLDER / "expected.json").write_text(json.dumps(figures, indent=1) + "\n")


main()
