/* An init that stands for machined: writes its lines, ends as it ends, and does what /var/command says. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

static void on_sigterm(int number) { asked = number; }

static void end(const char *sequence, const char *phase, int how) {
  printf("[talos] %s sequence: 2 phase(s)\n[talos] phase stopEverything (1/2): 1 tasks(s)\n", sequence);
  printf("[talos] phase %s (2/2): 1 tasks(s)\n", phase);
  reboot(how);
  exit(1);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  signal(SIGTERM, on_sigterm);
  FILE *boots = fopen("/var/boots", "a");
  if (boots == NULL) return 4;
  fputs("boot\n", boots);
  fclose(boots);
  puts("[talos] boot sequence: 1 phase(s)");
  for (;;) {
    usleep(5000);
    char command[16] = "";
    int file = open("/var/command", O_RDONLY);
    if (file >= 0) {
      if (read(file, command, sizeof command - 1) < 0) return 5;
      close(file);
    }
    if (strcmp(command, "stubborn") == 0) asked = 0;
    if (asked) end("shutdown", "shutdown", RB_POWER_OFF);
    if (strcmp(command, "reset") == 0) end("reset", "shutdown", RB_POWER_OFF);
    if (strcmp(command, "reboot") == 0) unlink("/var/command"), end("reboot", "reboot", RB_AUTOBOOT);
    if (strcmp(command, "crash") == 0) puts("panic: no more"), exit(3);
  }
}
