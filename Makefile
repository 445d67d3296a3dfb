# SPDX-License-Identifier: GPL-2.0-only
# Builds, installs and packages portctl. "make help" lists the targets, also those of tests/tests.mk.

VERSION := 0.1.0
PREFIX ?= /usr/local
UNITS ?= $(PREFIX)/lib/systemd/system
ZSH_FUNCTIONS ?= $(PREFIX)/share/zsh/site-functions
CLANG ?= clang
BPFTOOL ?= $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool)
BUILD := build

CFLAGS ?= -O2 -g
# The hardening flags of Debian. The user's CFLAGS, CPPFLAGS and LDFLAGS come after them.
# Control-flow protection depends on the processor: CET on x86-64, BTI on arm64.
HARDENING_x86_64 := -fcf-protection
HARDENING_aarch64 := -mbranch-protection=standard
HARDENING := -fPIE -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
	$(HARDENING_$(firstword $(subst -, ,$(shell $(CC) -dumpmachine))))
HARDENED_LINK := -pie -Wl,-z,relro,-z,now
WARNINGS := -Wall -Wextra -Wformat-security -Werror
PORTCTL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing $(WARNINGS) -Iinclude -Iuser -I$(BUILD) \
	-DVERSION='"$(VERSION)"' -MMD -MP $(HARDENING) $(CPPFLAGS)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 $(WARNINGS) -Ibpf -Iinclude -Ivmlinux -MMD -MP
# --as-needed: each program is linked only to the libraries it uses.
LIBS := -Wl,--as-needed -lbpf -ljansson -lnettle -lpcap -lmicrohttpd -lncursesw

# export, replay and top are separate programs because their libraries take long to load.
PROGRAMS := $(patsubst user/main/main_%.c,$(BUILD)/libexec/portctl/portctl-%,$(wildcard user/main/main_*.c))
SOURCES := $(filter-out user/main/main%.c,$(wildcard user/*/*.c))
OBJECTS := $(SOURCES:user/%.c=$(BUILD)/user/%.o)
MAIN_OBJECTS := $(patsubst user/%.c,$(BUILD)/user/%.o,$(wildcard user/main/main*.c))
LIBRARY := $(BUILD)/libportctl.a

all: $(BUILD)/portctl ## build portctl (the default)

help: ## list the targets
	@awk 'match($$0, /^[a-z-]+:.*## /) { target = $$1; sub(/:.*/, "", target); \
		printf "%-16s %s\n", target, substr($$0, RLENGTH + 1) }' $(MAKEFILE_LIST) | sort

# The build tree has the layout of an installed one, so that portctl finds its programs.
$(BUILD)/portctl: $(BUILD)/sbin/portctl | $(PROGRAMS)
	ln -sf sbin/portctl $@

$(BUILD)/sbin/portctl: $(BUILD)/user/main/main.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(HARDENED_LINK) $(LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/libexec/portctl/portctl-%: $(BUILD)/user/main/main_%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(HARDENED_LINK) $(LDFLAGS) $^ $(LIBS) -o $@

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

bpf-size: $(BUILD)/scripts/bpf_size ## print the instructions of each BPF program, and those the verifier checks; root
	$<

.PHONY: bpf-size

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@.new
	mv $@.new $@

# Turns a text file into a C string literal.
$(BUILD)/%.inc: user/advise/%.txt Makefile
	@mkdir -p $(@D)
	sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@.new
	mv $@.new $@

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/*/*/*.d $(BUILD)/*/*/*/*.d)

include tests/tests.mk

deps: ## install the Debian packages for building and testing; root
	scripts/deps

run: deps ## show portctl at work, in network namespaces of its own; root
	$(MAKE) all
	scripts/demo

# The manual pages and completions. Their lists of commands come from the table of commands.
MANUAL := $(BUILD)/man/portctl.8 $(BUILD)/man/portctl.rules.5
COMPLETIONS := $(BUILD)/completions/portctl.bash $(BUILD)/completions/portctl.zsh

man: $(MANUAL) $(COMPLETIONS) ## build the manual pages and the completions

$(BUILD)/scripts/%: scripts/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) $(CFLAGS) $< $(LIBRARY) $(LDFLAGS) $(LIBS) -o $@

$(BUILD)/man/portctl.8: scripts/man/portctl.8.in $(BUILD)/scripts/manual
	@mkdir -p $(@D)
	$(BUILD)/scripts/manual >$@.commands
	sed -e '/^@COMMANDS@$$/{r $@.commands' -e 'd}' $< >$@
	rm $@.commands

$(BUILD)/man/portctl.rules.5: scripts/man/portctl.rules.5
	@mkdir -p $(@D)
	cp $< $@

$(BUILD)/completions/portctl.%: $(BUILD)/scripts/completions
	@mkdir -p $(@D)
	$(BUILD)/scripts/completions $* >$@

# Spaces of PREFIX as systemd writes them in a unit.
EMPTY :=
UNIT_PREFIX = $(subst $(EMPTY) $(EMPTY),\\x20,$(PREFIX))

install: all man ## install below PREFIX (/usr/local); DESTDIR= works
	install -D -m 755 $(BUILD)/sbin/portctl "$(DESTDIR)$(PREFIX)/sbin/portctl"
	install -D -m 755 $(PROGRAMS) -t "$(DESTDIR)$(PREFIX)/libexec/portctl"
	install -D -m 644 $(BUILD)/man/portctl.8 "$(DESTDIR)$(PREFIX)/share/man/man8/portctl.8"
	install -D -m 644 $(BUILD)/man/portctl.rules.5 "$(DESTDIR)$(PREFIX)/share/man/man5/portctl.rules.5"
	install -D -m 644 $(BUILD)/completions/portctl.bash \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/portctl"
	install -D -m 644 $(BUILD)/completions/portctl.zsh "$(DESTDIR)$(ZSH_FUNCTIONS)/_portctl"
	for unit in portctl portctl-follow portctl-knock portctl-export; do \
		install -D -m 644 scripts/$$unit.service -t "$(DESTDIR)$(UNITS)" && \
			sed -i 's|@PREFIX@|$(UNIT_PREFIX)|' "$(DESTDIR)$(UNITS)/$$unit.service" || exit 1; \
	done

clean: ## remove everything that was built
	rm -rf $(BUILD)

deb: ## build Debian packages in build/deb; root only to install what is missing
	scripts/deps package
	scripts/package

.PHONY: all help deps run man install deb clean
.DELETE_ON_ERROR:
.SECONDARY:
