package JobLog;

# What stands in a job's log around the output of the command, for jobs on this
# machine (run.pl, stdout.pl): a header, and a footer with the exit status; and how the
# last run of any job ended. Writing never ends the program: each function returns an
# error text, or '' if all is well, since a full disk must be reported and not hidden.

use strict;
use warnings;
use Exporter 'import';
use File::Basename 'dirname';
use File::Path 'make_path';
use POSIX 'strftime';

our @EXPORT_OK = qw(commented last_status make_directory write_footer write_header);

sub now {
    return strftime('%a %b %e %H:%M:%S %Z %Y', localtime);
}

# Every line of the text behind a "# ".
sub commented {
    my ($text) = @_;
    $text =~ s/^/# /mg;
    return $text;
}

sub make_directory {
    my ($directory) = @_;
    make_path($directory, { error => \my $errors });
    return '' if -d $directory;
    my ($why) = map { values %$_ } @$errors;
    return "cannot make the directory $directory: " . ($why // 'no reason known');
}

sub append {
    my ($mode, $log, $text) = @_;
    open(my $file, $mode, $log) or return "cannot write $log: $!";
    print {$file} $text or return "cannot write $log: $!";
    close($file) or return "cannot write $log: $!";
    return '';
}

# What the footer needs before it to begin on a line of its own.
sub line_break {
    my ($log) = @_;
    open(my $file, '<', $log) or return '';
    my $last = "\n";
    seek($file, -1, 2) and read($file, $last, 1);
    close($file);
    return $last eq "\n" ? '' : "\n";
}

sub write_header {
    my ($log, $command) = @_;
    my $text = commented($command) . "\n# Started at " . now() . "\n#\n";
    return make_directory(dirname($log)) || append('>', $log, $text);
}

# $wait_status is perl's $?, $seconds the time since the header.
sub write_footer {
    my ($log, $wait_status, $seconds, $threads) = @_;
    my $code = 'code ' . ($wait_status >> 8);
    $code .= '; signal ' . ($wait_status & 127) if $wait_status & 127;
    return append('>>', $log,
        line_break($log) . "# Accounting: time=$seconds threads=$threads\n"
            . "# Ended ($code) at " . now() . ", elapsed time $seconds seconds\n");
}

# The state that an earlier run left in a log, here or by the job script of a batch
# system: complete, failed or incomplete.
sub last_status {
    my ($log) = @_;
    open(my $file, '<', $log) or return 'incomplete';
    my $ended = 'incomplete';
    while (my $row = <$file>) {
        $ended = $1 eq 'code 0' ? 'complete' : 'failed'
            if $row =~ /^# Ended \((code [^)]*)\)/;
        $ended = $1 == 0 ? 'complete' : 'failed'
            if $row =~ /^# Finished at .* with status (\d+)/;
        $ended = 'incomplete' if $row =~ /^# Running on /;    # started again
    }
    close($file);
    return $ended;
}

1;
