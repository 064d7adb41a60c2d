import { totalmem } from "node:os";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../core/clock.ts";
import { readCgroupLimits } from "./cgroup.ts";
import { detectHost } from "./detect.ts";
import { cpuPctBetween, parseCpuTicks } from "./host-cpu.ts";
import { readHostMemory } from "./host-memory.ts";
import { listPids, parseProcessStat, readProcessUsage } from "./process-usage.ts";
import type { TextReader } from "./text-reader.ts";
import { readKernelFile } from "./text-reader.ts";

const files =
  (contents: Readonly<Record<string, string>>): TextReader =>
  (path) =>
    contents[path];

const GIB = 1_073_741_824;
const MEMINFO = "MemTotal:       33554432 kB\nMemFree:         1048576 kB\nMemAvailable:   16777216 kB\n";

describe("memory", () => {
  test("available memory is the kernel's estimate, not what lies free", () => {
    expect(readHostMemory(files({ "/proc/meminfo": MEMINFO }))).toEqual({
      totalBytes: 32 * GIB,
      availableBytes: 16 * GIB,
      hostBytes: 32 * GIB,
    });
  });

  test("a container's limit counts, less what it uses and cannot drop", () => {
    const memory = readHostMemory(
      files({
        "/proc/meminfo": MEMINFO,
        "/proc/self/cgroup": "0::/\n",
        "/sys/fs/cgroup/memory.max": `${8 * GIB}\n`,
        "/sys/fs/cgroup/memory.current": `${5 * GIB}\n`,
        "/sys/fs/cgroup/memory.stat": `anon ${3 * GIB}\nfile ${2 * GIB}\ninactive_file ${GIB}\n`,
      }),
    );
    expect(memory).toEqual({
      totalBytes: 8 * GIB,
      availableBytes: 4 * GIB,
      hostBytes: 32 * GIB,
      limitBytes: 8 * GIB,
    });
  });

  test("the tightest ancestor limits, and `max` is no limit", () => {
    expect(
      readCgroupLimits(
        files({
          "/proc/self/cgroup": "0::/user.slice/app.scope\n",
          "/sys/fs/cgroup/user.slice/app.scope/memory.max": "max\n",
          "/sys/fs/cgroup/user.slice/memory.max": "4294967296\n",
          "/sys/fs/cgroup/user.slice/memory.current": "1073741824\n",
          "/sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
          "/sys/fs/cgroup/user.slice/app.scope/cpu.max": "max 100000\n",
        }),
      ),
    ).toEqual({ memoryLimitBytes: 4 * GIB, memoryAvailableBytes: 3 * GIB, cpuLimitCores: 1.5 });
  });

  test("version 1 groups limit too, and their huge number for unlimited does not", () => {
    const groups = { "/proc/self/cgroup": "9:name=systemd:/\n4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n" };
    expect(
      readCgroupLimits(
        files({
          ...groups,
          "/sys/fs/cgroup/memory/box/memory.limit_in_bytes": "2147483648\n",
          "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
          "/sys/fs/cgroup/memory/box/memory.usage_in_bytes": "1610612736\n",
          "/sys/fs/cgroup/memory/box/memory.stat": "total_inactive_file 536870912\n",
          "/sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "400000\n",
          "/sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000\n",
          "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
          "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        }),
      ),
    ).toEqual({ memoryLimitBytes: 2 * GIB, memoryAvailableBytes: GIB, cpuLimitCores: 4 });
  });

  test("a machine without /proc answers with the runtime's own figures", () => {
    const memory = readHostMemory(() => undefined);
    expect(memory.totalBytes).toBe(totalmem());
    expect(memory.limitBytes).toBeUndefined();
  });
});

describe("CPU", () => {
  test("waiting for disk is idle, stolen time is busy, guest time is not counted twice", () => {
    //                          user nice sys idle iowait irq softirq steal guest
    const before = parseCpuTicks("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3 4\n");
    const after = parseCpuTicks("cpu  130 0 60 830 60 0 0 20 30 0\n");
    expect(before).toEqual({ busy: 150, total: 1000 });
    // 30 user + 10 system + 20 stolen of 100 ticks.
    expect(before && after && cpuPctBetween(before, after)).toBe(60);
  });

  test("no tick passed is unknown, not 0 percent", () => {
    expect(cpuPctBetween({ busy: 5, total: 10 }, { busy: 5, total: 10 })).toBeUndefined();
    expect(parseCpuTicks("intr 1 2 3")).toBeUndefined();
  });
});

describe("one process", () => {
  const STAT =
    "812 (tmux: server (1)) S 1 812 812 0 -1 4194624 3 0 0 0 250 150 0 0 20 0 1 0 99913 3133440 417 1844\n";

  test("a name with blanks and parentheses does not shift the fields", () => {
    // 250 user and 150 system ticks of 10 ms.
    expect(parseProcessStat(STAT)).toEqual({ name: "tmux: server (1)", cpuMs: 4000, startTicks: 99_913 });
    expect(parseProcessStat("nonsense")).toBeUndefined();
  });

  test("resident memory is read in KiB, and a kernel thread has none", () => {
    const read = files({ "/proc/812/stat": STAT, "/proc/812/status": "Name:\tx\nVmRSS:\t    2048 kB\n" });
    expect(readProcessUsage(read, 812)?.rssBytes).toBe(2_097_152);
    expect(readProcessUsage(files({ "/proc/812/stat": STAT }), 812)).not.toHaveProperty("rssBytes");
    expect(readProcessUsage(read, 813)).toBeUndefined();
  });

  test("this very process is found and measured", (context) => {
    if (process.platform !== "linux") context.skip("only Linux has /proc");
    expect(listPids()).toContain(process.pid);
    const usage = readProcessUsage(readKernelFile, process.pid);
    expect(usage?.rssBytes).toBeGreaterThan(10_000_000);
    expect(usage?.cpuMs).toBeGreaterThan(0);
  });
});

describe("detecting the host", () => {
  test("what the files say is what the facts hold, and a missing GPU says why", async () => {
    const host = await detectHost(
      { clock: new VirtualClock(), command: "/nowhere/nvidia-smi" },
      files({
        "/proc/meminfo": MEMINFO,
        "/etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
        "/proc/self/cgroup": "0::/\n",
        "/sys/fs/cgroup/cpu.max": "50000 100000\n",
      }),
    );
    expect(host).toMatchObject({
      memoryBytes: 32 * GIB,
      memoryAvailableBytes: 16 * GIB,
      cpuGovernor: "powersave",
      cpuLimitCores: 0.5,
      gpus: [],
      gpuTrouble: { kind: "absent" },
    });
    expect(host.os).toMatch(/^Debian GNU\/Linux 12 \(bookworm\) \(/);
    expect(host).not.toHaveProperty("memoryLimitBytes");
  });
});
