# SPDX-License-Identifier: GPL-2.0-only
# make            build/portctl; needs no root
# sudo make deps  installs what building and testing need (Debian)
# sudo make run   a demonstration, in network namespaces of its own
# sudo make test  every suite that belongs to every change
# sudo make bench what a packet costs

VERSION := 0.1.0
PREFIX ?= /usr/local
CLANG ?= clang
BPFTOOL ?= $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool)
BUILD := build

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror
PORTCTL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing $(WARNINGS) -Iinclude -Iuser -I$(BUILD) \
	-DVERSION='"$(VERSION)"' -MMD -MP
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 $(WARNINGS) -Iinclude -Ivmlinux -MMD -MP
LIBS := -lbpf -ljansson -lcrypto -lpcap -lmicrohttpd -lncursesw

SOURCES := $(filter-out user/main.c,$(wildcard user/*.c))
OBJECTS := $(SOURCES:user/%.c=$(BUILD)/user/%.o)
LIBRARY := $(BUILD)/libportctl.a

all: $(BUILD)/portctl

$(BUILD)/portctl: $(BUILD)/user/main.o $(LIBRARY)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(LIBRARY): $(OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/user/%.o: user/%.c Makefile | $(BUILD)/portctl.skel.h $(BUILD)/confirm.skel.h \
		$(BUILD)/listen.skel.h $(BUILD)/known_services.inc
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/%.bpf.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@.new
	mv $@.new $@

# A text as a string of C.
$(BUILD)/%.inc: user/%.txt Makefile
	@mkdir -p $(@D)
	sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@.new
	mv $@.new $@

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/*/*/*.d)

include tests/tests.mk

deps:
	scripts/deps

run: deps
	$(MAKE) all
	scripts/demo

install: all
	install -D -m 755 $(BUILD)/portctl $(DESTDIR)$(PREFIX)/sbin/portctl
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in portctl portctl-follow portctl-knock portctl-export; do \
		sed 's|@PREFIX@|$(PREFIX)|' scripts/$$unit.service \
			>$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit.service || exit 1; \
	done

clean:
	rm -rf $(BUILD)

.PHONY: all deps run install clean
.DELETE_ON_ERROR:
.SECONDARY:
