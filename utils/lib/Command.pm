package Command;

# Runs a program of a batch system and returns what it printed.

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(installed run_command);

# Takes one string for bash, or a list of words. Returns (exit status, stdout and
# stderr). The program has a process group of its own: a Ctrl-C that reached it could
# part a submission from its job number.
sub run_command {
    my (@words) = @_;
    my $pid = open(my $from, '-|') // die "cannot start a process: $!\n";
    if ($pid == 0) {
        setpgrp(0, 0);
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        open(STDERR, '>&', \*STDOUT);
        open(STDIN, '<', '/dev/null');
        exec(@words == 1 ? ('bash', '-c', @words) : @words)
            or print "cannot run $words[0]: $!\n";
        exit 127;
    }
    my $output = do { local $/; <$from> };
    close($from);
    return ($? >> 8 || $? & 127, $output // '');
}

sub installed {
    my ($program) = @_;
    return scalar grep { -x "$_/$program" } split(/:/, $ENV{PATH});
}

1;
