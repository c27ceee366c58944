/* A job whose consumption is known. It says on stdout what it used, so that what Fluster counted can be held against it.

   nothing                         only start and end: what a start costs
   memory MIB MS                   touch MIB MiB, hold them for MS milliseconds, give them back
   burn USER_MS SYSTEM_MS          that much CPU time in each mode
   family MS                       that much CPU time in each of: a reaped child, one that stays a zombie, an orphan that ended, a
                                   daemon that waits to be killed, and two threads; none in the main process
   write BYTES PATH                BYTES (whole MiB) past the page cache
   fork N                          N children at once, for 300 ms
   eat TIMES MIB                   TIMES children, one after the other, each of which touches MIB MiB
   eat-together COUNT MIB          the same at once: COUNT children that touch and then wait for their turn to end
   spill MIB PATH                  write MIB MiB through the page cache, and sync them
   lines COUNT                     COUNT lines on stdout and as many on stderr

   Lines: "began <ns>", what the kernel had counted of CPU in this process's cgroup when main() began (what came before it is the
   start: an engine sets a container up inside the job's cgroup); "cpu <user us> <system us> <all ns>" of one process since then;
   "wall <ns>"; "killed <n>"; "all are there"; "unsupported". */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024L * 1024)

static long long now(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void say(const char *line) {
    /* One write: the lines of several processes do not mix. */
    if (write(1, line, strlen(line)) < 0) _exit(90);
}

/* Of this process, when it became this program; a child has a clock of its own, which begins at 0. */
static long long user_before, system_before, all_before;

static long long user_us(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec * 1000000LL + used.ru_utime.tv_usec;
}

static long long system_us(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_stime.tv_sec * 1000000LL + used.ru_stime.tv_usec;
}

static void report(void) {
    char line[128];
    snprintf(line, sizeof line, "cpu %lld %lld %lld\n", user_us() - user_before, system_us() - system_before,
             now(CLOCK_PROCESS_CPUTIME_ID) - all_before);
    say(line);
}

static long long number_after(const char *path, const char *key) {
    char text[8192];
    int file = open(path, O_RDONLY);
    if (file < 0) return -1;
    long size = read(file, text, sizeof text - 1);
    close(file);
    if (size <= 0) return -1;
    text[size] = 0;
    char *at = strstr(text, key);
    return at ? atoll(at + strlen(key)) : -1;
}

static void say_where_it_began(void) {
    char own[8192], path[9000], line[64];
    long long counted = -1;
    int file = open("/proc/self/cgroup", O_RDONLY);
    long size = file < 0 ? -1 : read(file, own, sizeof own - 1);
    if (size > 0) {
        own[size] = 0;
        for (char *each = strtok(own, "\n"); each && counted < 0; each = strtok(NULL, "\n")) {
            char *place = strrchr(each, ':') + 1;
            if (strstr(each, ":cpuacct:") || strstr(each, ":cpu,cpuacct:")) {
                snprintf(path, sizeof path, "/sys/fs/cgroup/cpuacct%s/cpuacct.usage", place);
                counted = number_after(path, "");
                /* A container sees its own cgroup as the tree's root. */
                if (counted < 0) counted = number_after("/sys/fs/cgroup/cpuacct/cpuacct.usage", "");
            } else if (!strncmp(each, "0::", 3)) {
                snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.stat", place);
                counted = number_after(path, "usage_usec ");
                if (counted >= 0) counted *= 1000;
            }
        }
    }
    if (file >= 0) close(file);
    snprintf(line, sizeof line, "began %lld\n", counted);
    say(line);
    user_before = user_us(), system_before = system_us(), all_before = now(CLOCK_PROCESS_CPUTIME_ID);
}

static void burn_user(clockid_t clock, long milliseconds) {
    /* Asking for the time is a system call: seldom enough that it does not show. */
    long long until = now(clock) + milliseconds * 1000000LL;
    volatile unsigned long work = 1;
    while (now(clock) < until)
        for (int i = 0; i < 300000; i++) work = work * 6364136223846793005UL + 1442695040888963407UL;
}

static void burn_system(long milliseconds) {
    static char block[1 << 20];
    long long until = now(CLOCK_PROCESS_CPUTIME_ID) + milliseconds * 1000000LL;
    int zero = open("/dev/zero", O_RDONLY);
    if (zero < 0) _exit(91);
    while (now(CLOCK_PROCESS_CPUTIME_ID) < until)
        for (int i = 0; i < 4; i++)
            if (read(zero, block, sizeof block) < 0) _exit(92);
    close(zero);
}

static void *burn_in_thread(void *milliseconds) {
    burn_user(CLOCK_THREAD_CPUTIME_ID, *(long *)milliseconds);
    return NULL;
}

static void pause_for(long milliseconds) {
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&span, NULL);
}

static char *touch(long bytes) {
    char *held = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (held == MAP_FAILED) _exit(93);
    for (long at = 0; at < bytes; at += 4096) held[at] = 1;
    return held;
}

static pid_t child(void (*work)(long), long argument, int done) {
    pid_t pid = fork();
    if (pid < 0) _exit(94);
    if (pid) return pid;
    user_before = system_before = all_before = 0;
    work(argument);
    if (done >= 0 && write(done, "x", 1) != 1) _exit(95);
    _exit(0);
}

static void burn_and_report(long milliseconds) {
    burn_user(CLOCK_PROCESS_CPUTIME_ID, milliseconds);
    report();
}

static void threads_and_report(long milliseconds) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, burn_in_thread, &milliseconds)) _exit(96);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    report();
}

static void wait_for(int pipe, int count) {
    char byte;
    for (int i = 0; i < count; i++)
        if (read(pipe, &byte, 1) != 1) _exit(97);
}

static int family(long milliseconds) {
    int done[2];
    if (pipe(done)) return 98;
    waitpid(child(burn_and_report, milliseconds, -1), NULL, 0);
    waitpid(child(threads_and_report, milliseconds, -1), NULL, 0);
    child(burn_and_report, milliseconds, done[1]); /* a zombie until the job's end */
    wait_for(done[0], 1);
    for (int daemon = 0; daemon < 2; daemon++) {
        pid_t between = fork();
        if (between < 0) return 99;
        if (between == 0) {
            setsid();
            if (fork()) _exit(0);
            user_before = system_before = all_before = 0;
            burn_and_report(milliseconds);
            if (write(done[1], "x", 1) != 1) _exit(95);
            if (daemon) pause();
            _exit(0);
        }
        waitpid(between, NULL, 0);
        wait_for(done[0], 1);
    }
    report();
    return 0;
}

static int write_direct(long bytes, const char *path) {
    void *block;
    if (posix_memalign(&block, 4096, MIB)) return 98;
    memset(block, 7, MIB);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT, 0644);
    if (file < 0 && errno == EINVAL) {
        say("unsupported\n");
        return 0;
    }
    if (file < 0) return 99;
    for (long left = bytes; left > 0; left -= MIB)
        if (write(file, block, MIB) != MIB) return 100;
    return close(file) ? 101 : 0;
}

static void wait_forever(long unused) {
    (void)unused;
    for (;;) pause();
}

static int fork_many(long count) {
    pid_t children[count];
    for (long i = 0; i < count; i++) children[i] = child(wait_forever, 0, -1);
    say("all are there\n");
    pause_for(300); /* what only looks now and then must get its chance */
    for (long i = 0; i < count; i++) kill(children[i], SIGKILL);
    for (long i = 0; i < count; i++) waitpid(children[i], NULL, 0);
    return 0;
}

static void eat_memory(long mib) { touch(mib * MIB); }

static int eat(long times, long mib) {
    char line[64];
    int killed = 0;
    for (long i = 0; i < times; i++) {
        int status;
        waitpid(child(eat_memory, mib, -1), &status, 0);
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    snprintf(line, sizeof line, "killed %d\n", killed);
    say(line);
    return 0;
}

static void eat_and_wait(long mib) {
    touch(mib * MIB);
    pause_for(200);
}

static int eat_together(long count, long mib) {
    char line[64];
    int killed = 0, status;
    pid_t children[count];
    for (long i = 0; i < count; i++) children[i] = child(eat_and_wait, mib, -1);
    for (long i = 0; i < count; i++) {
        waitpid(children[i], &status, 0);
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    snprintf(line, sizeof line, "killed %d\n", killed);
    say(line);
    return 0;
}

static int spill(long mib, const char *path) {
    static char block[1 << 20];
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return 99;
    for (long i = 0; i < mib; i++)
        if (write(file, block, sizeof block) != sizeof block) return 100;
    if (fsync(file)) return 101;
    return close(file) ? 102 : 0;
}

static int write_lines(long count) {
    char line[64];
    for (long i = 0; i < count; i++) {
        int size = snprintf(line, sizeof line, "line %ld\n", i);
        if (write(1, line, size) != size || write(2, line, size) != size) return 99;
    }
    return 0;
}

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "";
    long first = count > 2 ? atol(words[2]) : 0, second = count > 3 ? atol(words[3]) : 0;
    say_where_it_began();
    if (!strcmp(what, "nothing")) return 0;
    if (!strcmp(what, "memory")) {
        char *held = touch(first * MIB);
        pause_for(second);
        munmap(held, first * MIB);
        return 0;
    }
    if (!strcmp(what, "burn")) {
        char line[64];
        long long began = now(CLOCK_MONOTONIC);
        burn_user(CLOCK_PROCESS_CPUTIME_ID, first);
        if (second) burn_system(second);
        snprintf(line, sizeof line, "wall %lld\n", now(CLOCK_MONOTONIC) - began);
        say(line);
        report();
        return 0;
    }
    if (!strcmp(what, "family")) return family(first);
    if (!strcmp(what, "write")) return write_direct(first, words[3]);
    if (!strcmp(what, "fork")) return fork_many(first);
    if (!strcmp(what, "eat")) return eat(first, second);
    if (!strcmp(what, "eat-together")) return eat_together(first, second);
    if (!strcmp(what, "spill")) return spill(first, words[3]);
    if (!strcmp(what, "lines")) return write_lines(first);
    return 64;
}
