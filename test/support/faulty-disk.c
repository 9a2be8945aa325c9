/* Stands between a process and its disk: what it does to files below FAULTY_DISK_FOLDER is told by FAULTY_DISK_ORDER, a file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* One order: "<call> <what> <milliseconds>", where call is sync or write, and what is stall, EIO, ENOSPC or EROFS. "once" after it: only the first time. */
static int obey(const char *call, int fd) {
  const char *folder = getenv("FAULTY_DISK_FOLDER"), *order = getenv("FAULTY_DISK_ORDER");
  char link[64], path[4096], text[128], wanted[16], what[16], times[16] = "";
  long ms = 0;
  if (folder == NULL || order == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (strncmp(path, folder, strlen(folder)) != 0 || strstr(path, "tierhook.db") == NULL) return 0;
  int file = syscall(SYS_openat, AT_FDCWD, order, O_RDONLY);
  if (file < 0) return 0;
  length = syscall(SYS_read, file, text, sizeof text - 1);
  syscall(SYS_close, file);
  if (length <= 0) return 0;
  text[length] = 0;
  if (sscanf(text, "%15s %15s %ld %15s", wanted, what, &ms, times) < 3 || strcmp(wanted, call) != 0) return 0;
  if (strcmp(times, "once") == 0) unlink(order);
  if (strcmp(what, "stall") == 0) {
    struct timespec wait = { ms / 1000, (ms % 1000) * 1000000 };
    nanosleep(&wait, NULL);
    return 0;
  }
  errno = strcmp(what, "ENOSPC") == 0 ? ENOSPC : strcmp(what, "EROFS") == 0 ? EROFS : EIO;
  return -1;
}

int fsync(int fd) { return obey("sync", fd) < 0 ? -1 : syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return obey("sync", fd) < 0 ? -1 : syscall(SYS_fdatasync, fd); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) { return obey("write", fd) < 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return obey("write", fd) < 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at); }
