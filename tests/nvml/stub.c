/* NVML as far as Fluster asks it, over the GPUs of a text file: one line each, "uuid total used busy mode".

   The file is the one that STUB_NVML names, read again at every call; without it the driver is not there.
   Modes: ok; fails (every reading fails); mute (it has no such figures); old (a driver without the newer call
   for memory); hangs (a reading does not return while the file says so; a file of the
   same name with ".hanging" tells that one began). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_LOADED = 9, NOT_FOUND = 13, LOST = 15 };

struct gpu { char uuid[96]; unsigned long long total, used; unsigned busy; char mode[16]; };
struct memory { unsigned long long total, free, used; };
struct memory_v2 { unsigned version; unsigned long long total, reserved, free, used; };
struct utilization { unsigned gpu, memory; };

static int load(struct gpu *gpus)
{
    const char *path = getenv("STUB_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    int count = 0;
    if (file == NULL) return -1;
    while (count < 16 && fscanf(file, "%95s %llu %llu %u %15s", gpus[count].uuid, &gpus[count].total, &gpus[count].used,
                                &gpus[count].busy, gpus[count].mode) == 5)
        count++;
    fclose(file);
    return count;
}

static int find(void *handle, struct gpu *found)
{
    struct gpu gpus[16];
    long index = (long) handle - 1;
    if (index >= load(gpus)) return LOST;
    *found = gpus[index];
    return SUCCESS;
}

static int reading(void *handle, struct gpu *found)
{
    int result = find(handle, found);
    while (result == SUCCESS && strcmp(found->mode, "hangs") == 0) {
        char path[4096];
        FILE *mark;
        snprintf(path, sizeof path, "%s.hanging", getenv("STUB_NVML"));
        if ((mark = fopen(path, "w")) != NULL) fclose(mark);
        usleep(5000);
        result = find(handle, found);
    }
    if (result != SUCCESS) return result;
    if (strcmp(found->mode, "fails") == 0) return LOST;
    return strcmp(found->mode, "mute") == 0 ? NOT_SUPPORTED : SUCCESS;
}

int nvmlInitWithFlags(unsigned flags) { struct gpu gpus[16]; (void) flags; return load(gpus) < 0 ? NOT_LOADED : SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int result) { return result == LOST ? "GPU is lost" : "an error of the stub"; }

int nvmlDeviceGetCount_v2(unsigned *count)
{
    struct gpu gpus[16];
    int found = load(gpus);
    *count = found < 0 ? 0 : (unsigned) found;
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle)
{
    struct gpu gpu;
    *handle = (void *) (long) (index + 1);
    return find(*handle, &gpu);
}

int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned length)
{
    struct gpu gpu;
    int result = find(handle, &gpu);
    if (result == SUCCESS) snprintf(uuid, length, "%s", gpu.uuid);
    return result;
}

int nvmlDeviceGetMemoryInfo(void *handle, struct memory *memory)
{
    struct gpu gpu;
    int result = reading(handle, &gpu);
    if (result == SUCCESS) *memory = (struct memory) { gpu.total, gpu.total - gpu.used, gpu.used };
    return result;
}

int nvmlDeviceGetMemoryInfo_v2(void *handle, struct memory_v2 *memory)
{
    struct gpu gpu;
    int result = reading(handle, &gpu);
    if (result == SUCCESS && strcmp(gpu.mode, "old") == 0) return NOT_FOUND;
    if (memory->version != (sizeof *memory | 2u << 24)) return INVALID;
    if (result == SUCCESS) *memory = (struct memory_v2) { memory->version, gpu.total, 0, gpu.total - gpu.used, gpu.used };
    return result;
}

int nvmlDeviceGetUtilizationRates(void *handle, struct utilization *rates)
{
    struct gpu gpu;
    int result = reading(handle, &gpu);
    if (result == SUCCESS) *rates = (struct utilization) { gpu.busy, 0 };
    return result;
}
