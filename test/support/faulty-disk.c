/*
 * Stands between a process and its disk: what it does to files below FAULTY_DISK_FOLDER is told by FAULTY_DISK_ORDER, a file.
 * And between it and its clock: FAULTY_CLOCK is a file that holds how far the wall clock is off, as 8 bytes, in seconds.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* Whether this thread has written the text that the order names since its last sync. */
static __thread int wrote_text;

static ssize_t read_order(char *text, size_t size) {
  const char *order = getenv("FAULTY_DISK_ORDER");
  int file = order == NULL ? -1 : (int) syscall(SYS_openat, AT_FDCWD, order, O_RDONLY);
  if (file < 0) return -1;
  ssize_t length = syscall(SYS_read, file, text, size - 1);
  syscall(SYS_close, file);
  if (length > 0) text[length] = 0;
  return length;
}

/*
 * One order: "<call> <what> <milliseconds>", where call is sync or write, and what is stall, EIO, ENOSPC, EDQUOT or EROFS. "once" after it: only the
 * first time. A text after "once": only the first sync by the thread that wrote this text, since other threads sync the same files at times of their own.
 */
static int obey(const char *call, int fd) {
  const char *folder = getenv("FAULTY_DISK_FOLDER"), *order = getenv("FAULTY_DISK_ORDER");
  char link[64], path[4096], text[128], wanted[16], what[16], times[16] = "", written[64] = "";
  long ms = 0;
  if (folder == NULL || order == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (strncmp(path, folder, strlen(folder)) != 0 || strstr(path, "tierhook.db") == NULL) return 0;
  if (read_order(text, sizeof text) <= 0) return 0;
  if (sscanf(text, "%15s %15s %ld %15s %63s", wanted, what, &ms, times, written) < 3 || strcmp(wanted, call) != 0) return 0;
  if (written[0] != 0 && !wrote_text) return 0;
  if (strcmp(times, "once") == 0) unlink(order);
  if (strcmp(what, "stall") == 0) {
    struct timespec wait = { ms / 1000, (ms % 1000) * 1000000 };
    nanosleep(&wait, NULL);
    return 0;
  }
  errno = strcmp(what, "ENOSPC") == 0 ? ENOSPC : strcmp(what, "EDQUOT") == 0 ? EDQUOT : strcmp(what, "EROFS") == 0 ? EROFS : EIO;
  return -1;
}

static int obey_sync(int fd) {
  int result = obey("sync", fd);
  wrote_text = 0;
  return result;
}

static int obey_write(int fd, const void *bytes, size_t count) {
  char text[128], written[64];
  if (read_order(text, sizeof text) > 0 && sscanf(text, "%*s %*s %*s %*s %63s", written) == 1 && memmem(bytes, count, written, strlen(written)) != NULL) wrote_text = 1;
  return obey("write", fd);
}

int fsync(int fd) { return obey_sync(fd) < 0 ? -1 : syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return obey_sync(fd) < 0 ? -1 : syscall(SYS_fdatasync, fd); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) { return obey_write(fd, bytes, count) < 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return obey_write(fd, bytes, count) < 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at); }

static long offset(void) {
  static volatile long *at;
  static int tried;
  if (!tried) {
    const char *path = getenv("FAULTY_CLOCK");
    int file = path == NULL ? -1 : (int) syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) syscall(SYS_close, file);
    if (mapped != MAP_FAILED) at = mapped;
    tried = 1;
  }
  return at == NULL ? 0 : *at;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (real == NULL) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec time;
  (void) zone;
  if (now == NULL) return 0;
  if (clock_gettime(CLOCK_REALTIME, &time) != 0) return -1;
  now->tv_sec = time.tv_sec;
  now->tv_usec = time.tv_nsec / 1000;
  return 0;
}
