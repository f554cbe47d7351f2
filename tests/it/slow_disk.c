/* A disk that can be made slow, or to hang: stands before the C library's fsync and fdatasync.
 *
 * SLOW_DISK is a folder. While the file "hold" is in it, nothing is flushed; while "slow" is, each flush takes 50 ms
 * longer. Each finished flush appends one byte to "flushes". */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *path(char *buffer, size_t size, const char *name) {
    snprintf(buffer, size, "%s/%s", getenv("SLOW_DISK"), name);
    return buffer;
}

static int flush(long call, int file) {
    char buffer[4096];
    while (access(path(buffer, sizeof buffer, "hold"), F_OK) == 0) {
        usleep(1000);
    }
    if (access(path(buffer, sizeof buffer, "slow"), F_OK) == 0) {
        usleep(50000);
    }
    int result = (int)syscall(call, file);
    int count = open(path(buffer, sizeof buffer, "flushes"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (count < 0 || write(count, ".", 1) != 1) {
        abort();
    }
    close(count);
    return result;
}

int fsync(int file) {
    return flush(SYS_fsync, file);
}

int fdatasync(int file) {
    return flush(SYS_fdatasync, file);
}
