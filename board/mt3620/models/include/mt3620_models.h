/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register blocks of the MT3620, a library in Rust: see src/ffi.rs.
 *
 * One thread at a time, with QEMU's big lock held; callbacks do not call back.
 */
#ifndef MT3620_MODELS_H
#define MT3620_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Mt3620Model Mt3620Model;

/* Interrupt inputs, and address spaces */
enum {
    MT3620_A7,
    MT3620_IO0,
    MT3620_IO1,
    MT3620_SPACES,
};

typedef struct Mt3620Host {
    void *opaque;
    uint64_t (*now)(void *opaque);
    void (*set_timer)(void *opaque, bool on, uint64_t at);
    void (*set_irq)(void *opaque, uint32_t target, uint32_t number,
                    bool level);
    bool (*read_memory)(void *opaque, uint32_t address, uint8_t *into,
                        size_t length);
    bool (*write_core)(void *opaque, uint32_t core, uint32_t address,
                       const uint8_t *bytes, size_t length);
    /* Both are answered later, by mt3620_started() or mt3620_stopped(). */
    void (*start_core)(void *opaque, uint32_t core);
    void (*stop_core)(void *opaque, uint32_t core);
    /* A size of 0 takes back what was granted. */
    void (*grant)(void *opaque, uint32_t core, uint32_t slot,
                  uint32_t address, uint32_t size);
    void (*reset_machine)(void *opaque);
    void (*tell_pins)(void *opaque, const uint8_t *line, size_t length);
    void (*complain)(void *opaque, bool guest_error, const char *text);
} Mt3620Host;

typedef struct Mt3620Region {
    char name[32];
    uint32_t space;
    uint32_t base;
    uint32_t size;
} Mt3620Region;

Mt3620Model *mt3620_new(void);
bool mt3620_option(size_t index, char *name, char *meaning, size_t size);
bool mt3620_set_option(Mt3620Model *model, const char *name, const char *value,
                       char *reason, size_t size);
bool mt3620_region(size_t index, Mt3620Region *region);
void mt3620_make(Mt3620Model *model, const Mt3620Host *host,
                 uint32_t ram_size);
bool mt3620_set_firmware(Mt3620Model *model, uint32_t core,
                         const uint8_t *file, size_t length, char *reason,
                         size_t size);
void mt3620_reset(Mt3620Model *model);
uint32_t mt3620_read(Mt3620Model *model, size_t region, uint32_t offset);
void mt3620_write(Mt3620Model *model, size_t region, uint32_t offset,
                  uint32_t value);
void mt3620_tick(Mt3620Model *model);
void mt3620_pins_said(Mt3620Model *model, const uint8_t *said, size_t length);
void mt3620_pins_connected(Mt3620Model *model);
bool mt3620_wants_start(Mt3620Model *model, uint32_t core, uint32_t *vectors);
bool mt3620_wants_stop(Mt3620Model *model, uint32_t core);
void mt3620_started(Mt3620Model *model, uint32_t core);
void mt3620_stopped(Mt3620Model *model, uint32_t core);
void mt3620_reset_requested(Mt3620Model *model, uint32_t core);
void mt3620_locked_up(Mt3620Model *model, uint32_t core);

#endif
